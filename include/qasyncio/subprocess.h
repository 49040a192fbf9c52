// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"
#include "qasyncio/detail/process/exit_state.h"
#include "qasyncio/stream_reader.h"
#include "qasyncio/stream_writer.h"

#include <QtCore/qanystringview.h>
#include <QtCore/qprocess.h>
#include <QtCore/qstringlist.h>

#include <concepts>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace QAsyncio {

namespace detail {
class ProcessState;
struct ProcessAccess;
} // namespace detail

/// Where a standard stream of a child process leads to: see ProcessOptions.
class Stdio
{
public:
    /// To where that of this program leads. The default.
    static Stdio inherited() { return Stdio(Inherited); }
    /// To this program, through a stream of the Process. (asyncio's PIPE.)
    static Stdio pipe() { return Stdio(Pipe); }
    /// Nowhere: there is nothing to read, and what is written is dropped. (DEVNULL.)
    static Stdio null() { return Stdio(Null); }
    /// To an open descriptor, which stays the caller's, who may close it once the child was
    /// started.
    static Stdio descriptor(int fd) { return Stdio(Descriptor, fd); }
    /// Of standard error only: to where standard output leads. (STDOUT.)
    static Stdio standard_output() { return Stdio(StandardOutput); }

private:
    friend class ProcessOptions;
    friend struct detail::ProcessAccess;
    enum Kind : quint8 { Inherited, Pipe, Null, Descriptor, StandardOutput };
    explicit Stdio(Kind kind, int fd = -1) : m_kind(kind), m_fd(fd) { }

    Kind m_kind;
    int m_fd;
};

/// Options for create_subprocess_exec() and create_subprocess_shell():
/// `ProcessOptions().standard_output(Stdio::pipe())`.
class QASYNCIO_EXPORT ProcessOptions
{
public:
    ProcessOptions() { }
    /// Where the child reads from. Stdio::pipe(): Process::standard_input() writes to it.
    ProcessOptions &standard_input(Stdio stdio)
    {
        m_input = stdio;
        return *this;
    }
    /// Where its output goes. Stdio::pipe(): Process::standard_output() reads it.
    ProcessOptions &standard_output(Stdio stdio)
    {
        m_output = stdio;
        return *this;
    }
    /// Where its errors go. Stdio::pipe(): Process::standard_error() reads them;
    /// Stdio::standard_output(): they are mixed with the output.
    ProcessOptions &standard_error(Stdio stdio)
    {
        m_error = stdio;
        return *this;
    }
    /// The limit of the streams that read: see StreamReader.
    ProcessOptions &limit(qsizetype bytes)
    {
        m_limit = bytes;
        return *this;
    }
    /// The folder in which the child starts. Without this call it is that of this program.
    ProcessOptions &working_directory(const QString &path)
    {
        m_directory = path;
        return *this;
    }
    /// The child's environment. Without this call it is that of this program. Its PATH is where the
    /// child's program is looked for.
    ProcessOptions &environment(const QProcessEnvironment &environment)
    {
        m_environment = environment;
        return *this;
    }
    /// Descriptors that the child has too, under the same numbers. It has no others beyond the
    /// three standard streams.
    ProcessOptions &pass_fds(std::vector<int> fds)
    {
        m_pass_fds = std::move(fds);
        return *this;
    }
    /// The child begins a session of its own, without the terminal of this program.
    ProcessOptions &new_session(bool on = true)
    {
        m_new_session = on;
        return *this;
    }
    /// The child begins a process group of its own: Ctrl+C in the terminal does not reach it, and
    /// its children can be killed with it.
    ProcessOptions &new_process_group(bool on = true)
    {
        m_new_group = on;
        return *this;
    }
    /// If the Process is destroyed while the child runs, such as when the task that owns it is
    /// cancelled, the child is killed. Otherwise it goes on.
    ProcessOptions &kill_on_drop(bool on = true)
    {
        m_kill_on_drop = on;
        return *this;
    }
    /// The same for the child and all of its process group, which becomes its own: its children
    /// too, unless they have left it.
    ProcessOptions &kill_group_on_drop(bool on = true)
    {
        m_kill_group_on_drop = on;
        return *this;
    }

private:
    friend struct detail::ProcessAccess;
    Stdio m_input = Stdio::inherited();
    Stdio m_output = Stdio::inherited();
    Stdio m_error = Stdio::inherited();
    qsizetype m_limit = StreamReader::default_limit;
    QString m_directory;
    std::optional<QProcessEnvironment> m_environment;
    std::vector<int> m_pass_fds;
    bool m_new_session = false;
    bool m_new_group = false;
    bool m_kill_on_drop = false;
    bool m_kill_group_on_drop = false;
};

/// What Process::communicate() gives.
struct ProcessOutput
{
    QByteArray standard_output; ///< null if that was no pipe
    QByteArray standard_error;  ///< null if that was no pipe
};

/// A child process.
///
///     Process process = co_await create_subprocess_exec(
///         ProcessOptions().standard_output(Stdio::pipe()), "git", "log", "--oneline");
///     const ProcessOutput output = co_await process.communicate();
///     if (process.returncode() != 0)
///         ...
///
/// Lifetime: it owns its streams, but not the child. If it is destroyed, the streams are closed
/// (what was written to the child's input is still delivered) and the child goes on, unless
/// ProcessOptions::kill_on_drop() says otherwise; the loop takes note of its end, so that no zombie
/// is left. If the loop ends before the child, the next child that is started, or the next Process
/// that is destroyed, does that. One that was moved from may only be assigned to or destroyed.
/// Other parts of the program may use QProcess, or handle SIGCHLD, as long as they wait for their
/// own children only. Thread: that of the loop in which it was created, whichever that is.
/// \sa https://docs.python.org/3/library/asyncio-subprocess.html#asyncio.subprocess.Process
class QASYNCIO_EXPORT Process
{
public:
    Process(Process &&) noexcept = default;
    Process &operator=(Process &&other) noexcept;
    ~Process();
    Q_DISABLE_COPY(Process)

    qint64 pid() const;
    /// The exit code; -n if signal n has killed the child; empty while it runs. 255, with a
    /// warning, if something else in the program has waited for the child.
    std::optional<int> returncode() const;

    /// The streams that were asked for as Stdio::pipe(); otherwise these throw RuntimeError.
    StreamWriter &standard_input() const;
    StreamReader &standard_output() const;
    StreamReader &standard_error() const;

    /// Waits until the child has ended, and gives its returncode(). Pipes may still have data, and
    /// a grandchild may hold them open. (A child that writes into a pipe which nobody reads does
    /// not end: see communicate().)
    /// Cancellation: ends the wait; the child goes on. Any number of tasks may wait.
    [[nodiscard("await it")]] detail::Await<detail::ExitAwaiter> wait() const;
    /// Writes `input` to the child's input, if that is a pipe, and closes it; reads all of its
    /// output and errors, as far as these are pipes; and waits for its end. That a child does not
    /// read its input is no error.
    /// Cancellation: ends the wait. The child goes on, the input that is left is still written, and
    /// what has been read is there for the next communicate() or read().
    Coroutine<ProcessOutput> communicate(QByteArray input = {});

    /// Sends a signal to the child. Does nothing if it has just ended; throws ProcessLookupError
    /// once its pipes have ended too. It never reaches another process that has got the number of
    /// the child.
    void send_signal(int signal);
    /// Asks the child to end: SIGTERM.
    void terminate();
    /// Ends it: SIGKILL.
    void kill();

    /// "<Process 1234>"
    QString to_string() const;

private:
    friend struct detail::ProcessAccess;
    explicit Process(std::shared_ptr<detail::ProcessState> state) : m_state(std::move(state)) { }

    std::shared_ptr<detail::ProcessState> m_state; // null once it was moved from
};

namespace detail {

template<class A>
concept ProcessArgument = std::convertible_to<A, QAnyStringView>
    || std::same_as<std::remove_cvref_t<A>, QStringList>;

inline void append_argument(QStringList &command, QAnyStringView argument)
{
    command << argument.toString();
}
inline void append_argument(QStringList &command, const QStringList &arguments)
{
    command << arguments;
}

QASYNCIO_EXPORT Coroutine<Process> start_process(ProcessOptions options, QStringList command);

} // namespace detail

/// Starts a program, which is looked for in PATH unless its name has a '/'. The arguments are
/// strings, or QStringLists of strings; they are given to the program as they are.
///
///     Process process = co_await create_subprocess_exec("tar", "-xf", archive, files);
///
/// Throws at once what keeps it from starting: FileNotFoundError (there is no such program, or no
/// such folder to start in), PermissionError (it may not be executed), another OSError (no
/// descriptor is left, EMFILE; no process, EAGAIN; it is no program, ENOEXEC); ValueError for a
/// string with a null character in it. Nothing is left behind then.
/// Cancellation: a task that is cancelled before the child has started gets CancelledError, and
/// there is no child.
/// \sa https://docs.python.org/3/library/asyncio-subprocess.html#asyncio.create_subprocess_exec
template<detail::ProcessArgument Program, detail::ProcessArgument... Args>
Coroutine<Process> create_subprocess_exec(const ProcessOptions &options, const Program &program,
                                          const Args &...args)
{
    QStringList command;
    detail::append_argument(command, program);
    (detail::append_argument(command, args), ...);
    return detail::start_process(options, std::move(command));
}
/// The same without options.
template<detail::ProcessArgument Program, detail::ProcessArgument... Args>
Coroutine<Process> create_subprocess_exec(const Program &program, const Args &...args)
{
    return create_subprocess_exec(ProcessOptions(), program, args...);
}
/// Starts `/bin/sh -c command`. Whatever comes from a user has to be quoted in it; it is safer to
/// use create_subprocess_exec().
/// \sa https://docs.python.org/3/library/asyncio-subprocess.html#asyncio.create_subprocess_shell
QASYNCIO_EXPORT Coroutine<Process> create_subprocess_shell(
    const QString &command, const ProcessOptions &options = ProcessOptions());

} // namespace QAsyncio
