// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/subprocess.h"

#include "process/child.h"
#include "stream/pipes.h"
#include "stream/reader_state.h"
#include "stream/writer_state.h"

#include "qasyncio/gather.h"
#include "qasyncio/sleep.h"

#include <QtCore/qfile.h>

#include <fcntl.h>

#include <cerrno>
#include <csignal>

namespace QAsyncio {

namespace detail {

/// What a Process shares with communicate().
class ProcessState
{
public:
    ProcessState(LoopCore &loop, pid_t pid) : child(std::make_shared<Child>(loop, pid)) { }
    ~ProcessState()
    {
        if (kills_group)
            child->kill_group();
        else if (kills_child)
            kill();
    }
    Q_DISABLE_COPY_MOVE(ProcessState)

    bool has_ended() const
    {
        return child->exit->returncode() && (!input || input->fileno() < 0)
            && (!output || output->fileno() < 0) && (!error || error->fileno() < 0);
    }

    const std::shared_ptr<Child> child;
    std::optional<StreamWriter> input;
    std::optional<StreamReader> output, error;
    bool kills_child = false;
    bool kills_group = false;

private:
    void kill() noexcept
    {
        try {
            child->send_signal(SIGKILL);
        } catch (const std::system_error &) { // it has become another user's
        }
    }
};

namespace {

/// A pipe between this program, whose end does not block, and a child, whose end is numbered 3 or
/// more, so that it is in nobody's way when the child arranges its standard streams.
struct ChildPipe
{
    OwnedFd ours, childs;
};

OwnedFd duplicate_high(int fd)
{
    OwnedFd high(::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!high) {
        std::rethrow_exception(
            make_os_error(errno, QStringLiteral("descriptor %1 for a child").arg(fd)));
    }
    return high;
}

ChildPipe open_pipe(bool child_reads)
{
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) < 0)
        std::rethrow_exception(make_os_error(errno, QStringLiteral("a pipe for a child")));
    OwnedFd ours(fds[child_reads ? 1 : 0]);
    OwnedFd childs(fds[child_reads ? 0 : 1]);
    if (childs.get() <= STDERR_FILENO)
        childs = duplicate_high(childs.get());
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    return {std::move(ours), std::move(childs)};
}

QByteArray encoded(const QString &text)
{
    if (text.contains(QChar(u'\0')))
        throw ValueError(QStringLiteral("embedded null character in \"%1\"").arg(text));
    return QFile::encodeName(text);
}

QByteArrayList encoded(const QStringList &texts)
{
    QByteArrayList all;
    for (const QString &text : texts)
        all << encoded(text);
    return all;
}

} // namespace

/// Of standard input, output and error.
using ChildPipes = std::array<ChildPipe, 3>;

/// Starts a child, as its options say.
struct ProcessAccess
{
    static Process start(LoopCore &loop, const ProcessOptions &options, const QStringList &command);
    /// Throws ValueError.
    static void check(const ProcessOptions &options, const QStringList &command);
    static SpawnRequest request(const ProcessOptions &options, const QStringList &command);
    /// Opens what the child gets as its standard streams, and says so in the request.
    static ChildPipes open_stdio(const ProcessOptions &options, SpawnRequest &request);
};

void ProcessAccess::check(const ProcessOptions &options, const QStringList &command)
{
    if (command.isEmpty() || command.constFirst().isEmpty())
        throw ValueError(QStringLiteral("a subprocess needs a program"));
    if (options.m_limit <= 0)
        throw ValueError(QStringLiteral("Limit cannot be <= 0"));
    if (options.m_input.m_kind == Stdio::StandardOutput
        || options.m_output.m_kind == Stdio::StandardOutput) {
        throw ValueError(
            QStringLiteral("Stdio::standard_output() can only be used for standard error"));
    }
}

SpawnRequest ProcessAccess::request(const ProcessOptions &options, const QStringList &command)
{
    SpawnRequest request;
    request.command = encoded(command);
    request.directory = encoded(options.m_directory);
    if (options.m_environment)
        request.environment = encoded(options.m_environment->toStringList());
    request.pass_fds = options.m_pass_fds;
    request.new_session = options.m_new_session;
    request.new_group = options.m_new_group || options.m_kill_group_on_drop;
    return request;
}

ChildPipes ProcessAccess::open_stdio(const ProcessOptions &options, SpawnRequest &request)
{
    ChildPipes pipes;
    const std::array<Stdio, 3> stdio{options.m_input, options.m_output, options.m_error};
    for (std::size_t fd = 0; fd < stdio.size(); ++fd) {
        switch (stdio[fd].m_kind) {
        case Stdio::Inherited:
            continue;
        case Stdio::Null:
            request.stdio[fd] = SpawnRequest::null;
            continue;
        case Stdio::StandardOutput:
            request.stdio[fd] = SpawnRequest::as_output;
            continue;
        case Stdio::Pipe:
            pipes[fd] = open_pipe(fd == STDIN_FILENO);
            break;
        case Stdio::Descriptor: // the child may arrange another one of its own over it
            pipes[fd].childs = duplicate_high(stdio[fd].m_fd);
            break;
        }
        request.stdio[fd] = pipes[fd].childs.get();
    }
    return pipes;
}

/// Makes streams of this program's ends of the pipes.
static void connect_streams(LoopCore &loop, ProcessState &state, ChildPipes &pipes, qsizetype limit)
{
    const auto name = [&](const char *stream) {
        return QStringLiteral("%1 of process %2")
            .arg(QLatin1String(stream))
            .arg(state.child->pid());
    };
    const auto connect_reader = [&](std::optional<StreamReader> &reader, OwnedFd &fd,
                                    const char *stream) {
        if (!fd)
            return;
        reader = open_reader(loop, fd.get(), name(stream), limit);
        fd.release();
    };
    if (OwnedFd &fd = pipes[0].ours) {
        state.input = open_writer(loop, fd.get(), name("standard input"));
        fd.release();
    }
    connect_reader(state.output, pipes[1].ours, "standard output");
    connect_reader(state.error, pipes[2].ours, "standard error");
}

Process ProcessAccess::start(LoopCore &loop, const ProcessOptions &options,
                             const QStringList &command)
{
    reap_orphans();
    SpawnRequest wanted = request(options, command);
    ChildPipes pipes = open_stdio(options, wanted);
    const pid_t pid = spawn(wanted);
    std::shared_ptr<ProcessState> state;
    try {
        state = std::make_shared<ProcessState>(loop, pid);
        connect_streams(loop, *state, pipes, options.m_limit);
        state->child->watch();
    } catch (...) { // no memory, no descriptor
        if (state)
            state->child->exit->end(-SIGKILL); // it is waited for here
        kill_and_reap(pid);
        throw;
    }
    state->kills_child = options.m_kill_on_drop;
    state->kills_group = options.m_kill_group_on_drop;
    return Process(std::move(state));
}

Coroutine<Process> start_process(ProcessOptions options, QStringList command)
{
    ProcessAccess::check(options, command);
    // A task that was cancelled is told here, before there is a child.
    co_await sleep(std::chrono::nanoseconds::zero());
    co_return ProcessAccess::start(running_core(), options, command);
}

static Coroutine<> feed_input(std::shared_ptr<ProcessState> process, QByteArray input)
{
    if (!process->input)
        co_return;
    StreamWriter &writer = *process->input;
    if (!input.isEmpty())
        writer.write(std::move(input));
    writer.close(); // what is not written yet still is
    try {
        co_await writer.wait_closed();
    } catch (const BrokenPipeError &) { // it does not want its input
    } catch (const ConnectionResetError &) {
    }
}

static Coroutine<> wait_for_end_of(std::shared_ptr<ProcessState> process,
                                   std::optional<StreamReader> ProcessState::*stream)
{
    const std::optional<StreamReader> &reader = process.get()->*stream;
    if (reader)
        co_await wait_for_end(ReaderAccess::state(*reader));
}

static QByteArray take_all(const std::optional<StreamReader> &stream)
{
    if (!stream)
        return {};
    const Reader &reader = ReaderAccess::state(*stream);
    const QByteArray all = reader->take(reader->buffer.size());
    return all.isNull() ? QByteArray("") : all;
}

static Coroutine<ProcessOutput> communicate(std::shared_ptr<ProcessState> process, QByteArray input)
{
    co_await gather(feed_input(process, std::move(input)),
                    wait_for_end_of(process, &ProcessState::output),
                    wait_for_end_of(process, &ProcessState::error));
    co_await acquire_from(process->child->exit);
    ProcessOutput output;
    output.standard_output = take_all(process->output);
    output.standard_error = take_all(process->error);
    co_return output;
}

} // namespace detail

Coroutine<Process> create_subprocess_shell(const QString &command, const ProcessOptions &options)
{
    return detail::start_process(options,
                                 {QStringLiteral("/bin/sh"), QStringLiteral("-c"), command});
}

Process::~Process() = default;

Process &Process::operator=(Process &&other) noexcept
{
    Process taken(std::move(other));
    m_state.swap(taken.m_state);
    return *this;
}

qint64 Process::pid() const
{
    return m_state->child->pid();
}

std::optional<int> Process::returncode() const
{
    return m_state->child->exit->returncode();
}

namespace {
template<class Stream>
Stream &stream_of(std::optional<Stream> &stream, const char *name)
{
    if (!stream)
        throw RuntimeError(
            QStringLiteral("%1 of this process is no pipe").arg(QLatin1String(name)));
    return *stream;
}
} // namespace

StreamWriter &Process::standard_input() const
{
    return stream_of(m_state->input, "standard input");
}

StreamReader &Process::standard_output() const
{
    return stream_of(m_state->output, "standard output");
}

StreamReader &Process::standard_error() const
{
    return stream_of(m_state->error, "standard error");
}

detail::Await<detail::ExitAwaiter> Process::wait() const
{
    return detail::Await<detail::ExitAwaiter>(std::in_place, m_state->child->exit);
}

Coroutine<ProcessOutput> Process::communicate(QByteArray input)
{
    return detail::communicate(m_state, std::move(input));
}

void Process::send_signal(int signal)
{
    if (m_state->has_ended())
        throw ProcessLookupError(ESRCH, QStringLiteral("process %1").arg(pid()));
    m_state->child->send_signal(signal);
}

void Process::terminate()
{
    send_signal(SIGTERM);
}

void Process::kill()
{
    send_signal(SIGKILL);
}

QString Process::to_string() const
{
    return QStringLiteral("<Process %1>").arg(pid());
}

} // namespace QAsyncio
