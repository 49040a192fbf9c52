// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// posix_spawn(), because it is fast however much memory the program uses, resets the handlers of
// signals, and reports what keeps a program from starting.

#include "process/spawn.h"

#include <QtCore/qdir.h>
#include <QtCore/qfile.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace QAsyncio::detail {

namespace {

[[noreturn]] void throw_refused(int error, const QByteArray &what)
{
    std::rethrow_exception(make_os_error(error, QFile::decodeName(what)));
}

/// Puts together what the child does before it is the program.
class Actions
{
public:
    Actions()
    {
        check(::posix_spawn_file_actions_init(&m_files));
        check(::posix_spawnattr_init(&m_attributes));
    }
    ~Actions()
    {
        ::posix_spawn_file_actions_destroy(&m_files);
        ::posix_spawnattr_destroy(&m_attributes);
    }
    Q_DISABLE_COPY_MOVE(Actions)

    void set_stdio(int fd, int source);
    void set_directory(const QByteArray &path)
    {
        check(::posix_spawn_file_actions_addchdir_np(&m_files, path.constData()));
    }
    void close_all_but(std::vector<int> kept);
    void set_attributes(const SpawnRequest &request);

    const posix_spawn_file_actions_t *files() const { return &m_files; }
    const posix_spawnattr_t *attributes() const { return &m_attributes; }

private:
    static void check(int error)
    {
        if (error != 0)
            throw_refused(error, "posix_spawn");
    }

    posix_spawn_file_actions_t m_files;
    posix_spawnattr_t m_attributes;
};

void Actions::set_stdio(int fd, int source)
{
    if (source == SpawnRequest::null)
        check(::posix_spawn_file_actions_addopen(&m_files, fd, "/dev/null", O_RDWR, 0));
    else if (source == SpawnRequest::as_output)
        check(::posix_spawn_file_actions_adddup2(&m_files, STDOUT_FILENO, fd));
    else if (source != SpawnRequest::inherited)
        check(::posix_spawn_file_actions_adddup2(&m_files, source, fd));
}

/// Beyond the standard streams. A descriptor that is duplicated to its own number is no longer
/// closed when the program begins.
void Actions::close_all_but(std::vector<int> kept)
{
    std::sort(kept.begin(), kept.end());
    kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
    std::erase_if(kept, [](int fd) { return fd <= STDERR_FILENO; });
    for (const int fd : kept)
        check(::posix_spawn_file_actions_adddup2(&m_files, fd, fd));
    int first = STDERR_FILENO + 1;
    if (!kept.empty()) {
        const QStringList open = QDir(QStringLiteral("/proc/self/fd"))
                                     .entryList(QDir::Files | QDir::System);
        for (const QString &name : open) {
            const int fd = name.toInt();
            if (fd >= first && fd < kept.back()
                && !std::binary_search(kept.begin(), kept.end(), fd))
                check(::posix_spawn_file_actions_addclose(&m_files, fd));
        }
        first = kept.back() + 1;
    }
    check(::posix_spawn_file_actions_addclosefrom_np(&m_files, first));
}

void Actions::set_attributes(const SpawnRequest &request)
{
    int flags = POSIX_SPAWN_SETSIGDEF;
    sigset_t to_default; // ignored signals stay ignored in a child: these are ignored by libraries
    ::sigemptyset(&to_default);
    ::sigaddset(&to_default, SIGPIPE);
    ::sigaddset(&to_default, SIGXFSZ);
    check(::posix_spawnattr_setsigdefault(&m_attributes, &to_default));
    if (request.new_session)
        flags |= POSIX_SPAWN_SETSID;
    else if (request.new_group) // a session has a group of its own
        flags |= POSIX_SPAWN_SETPGROUP;
    check(::posix_spawnattr_setflags(&m_attributes, short(flags)));
}

std::vector<char *> pointers(const QByteArrayList &texts)
{
    std::vector<char *> all;
    for (const QByteArray &text : texts)
        all.push_back(const_cast<char *>(text.constData()));
    all.push_back(nullptr);
    return all;
}

/// As seen from the folder in which the child starts.
QByteArray in_directory(const SpawnRequest &request, const QByteArray &path)
{
    return request.directory.isEmpty() || path.startsWith('/') ? path
                                                               : request.directory + '/' + path;
}

QByteArray search_path(const SpawnRequest &request)
{
    if (!request.environment)
        return qgetenv("PATH");
    for (const QByteArray &variable : *request.environment) {
        if (variable.startsWith("PATH="))
            return variable.sliced(5);
    }
    return {};
}

/// The file to execute. Throws FileNotFoundError, or PermissionError if there is only a file that
/// must not be executed.
QByteArray find_program(const SpawnRequest &request)
{
    const QByteArray &program = request.command.constFirst();
    if (program.contains('/'))
        return program;
    const QByteArray path = search_path(request);
    int error = ENOENT;
    for (const QByteArray &folder : (path.isNull() ? "/bin:/usr/bin" : path).split(':')) {
        const QByteArray candidate = folder.isEmpty() ? "./" + program : folder + '/' + program;
        const QByteArray seen = in_directory(request, candidate);
        struct stat about;
        if (::stat(seen.constData(), &about) != 0 || !S_ISREG(about.st_mode))
            continue;
        if (::access(seen.constData(), X_OK) == 0)
            return candidate;
        error = EACCES;
    }
    throw_refused(error, program);
}

} // namespace

pid_t spawn(const SpawnRequest &request)
{
    const QByteArray program = find_program(request);
    Actions actions;
    for (int fd = 0; fd < 3; ++fd)
        actions.set_stdio(fd, request.stdio[std::size_t(fd)]);
    if (!request.directory.isEmpty())
        actions.set_directory(request.directory);
    actions.close_all_but(request.pass_fds);
    actions.set_attributes(request);
    const std::vector<char *> arguments = pointers(request.command);
    const std::vector<char *> variables = request.environment ? pointers(*request.environment)
                                                              : std::vector<char *>();
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, program.constData(), actions.files(),
                                    actions.attributes(), arguments.data(),
                                    request.environment ? variables.data() : environ);
    if (error == 0)
        return pid;
    struct stat about; // posix_spawn() does not tell which of the two it was
    const bool is_directory_wrong = !request.directory.isEmpty()
        && (::stat(request.directory.constData(), &about) != 0 || !S_ISDIR(about.st_mode)
            || ::access(request.directory.constData(), X_OK) != 0);
    throw_refused(error, is_directory_wrong ? request.directory : request.command.constFirst());
}

} // namespace QAsyncio::detail
