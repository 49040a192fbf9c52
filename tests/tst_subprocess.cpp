// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qdir.h>
#include <QtCore/qfile.h>
#include <QtCore/qprocess.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qtemporarydir.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <sys/wait.h>

namespace {

const Test::TestOptions real_time = Test::TestOptions().real_time();

ProcessOptions with_output()
{
    return ProcessOptions().standard_output(Stdio::pipe());
}

ProcessOptions with_pipes()
{
    return ProcessOptions()
        .standard_input(Stdio::pipe())
        .standard_output(Stdio::pipe())
        .standard_error(Stdio::pipe());
}

bool is_open(int fd)
{
    return ::fcntl(fd, F_GETFD) >= 0;
}

std::vector<int> open_descriptors()
{
    std::vector<int> open;
    for (int fd = 0; fd < 256; ++fd) {
        if (is_open(fd))
            open.push_back(fd);
    }
    return open;
}

/// Whether this program has a child that has not been waited for, running or not.
bool has_children()
{
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/// Neither running nor a zombie.
bool has_vanished(qint64 pid)
{
    return ::kill(pid_t(pid), 0) < 0 && errno == ESRCH;
}

/// A process may belong to somebody else's child, who takes its time to wait for it.
bool has_ended(qint64 pid)
{
    if (has_vanished(pid))
        return true;
    QFile about(u"/proc/%1/stat"_s.arg(pid));
    return !about.open(QIODevice::ReadOnly) || about.readAll().contains(") Z ");
}

/// Memory of this program that is in RAM, in pages of the system.
qint64 resident_pages()
{
    QFile about(u"/proc/self/statm"_s);
    return about.open(QIODevice::ReadOnly) ? about.readAll().split(' ').value(1).toLongLong() : 0;
}

template<class Condition>
Coroutine<bool> comes_true(Condition condition)
{
    for (int i = 0; i < 10000 && !condition(); ++i)
        co_await sleep(1ms);
    co_return condition();
}

/// Waits for it, whatever comes of it.
template<class T>
Coroutine<> end_of(Task<T> task)
{
    const std::vector<Task<T>> tasks{task};
    co_await wait(tasks);
}

Coroutine<ProcessOutput> output_of(ProcessOptions options, QString command)
{
    Process process = co_await create_subprocess_shell(command, options);
    co_return co_await process.communicate();
}

QString written_script(const QTemporaryDir &folder, const QString &name, const QByteArray &text,
                       QFile::Permissions permissions)
{
    const QString path = folder.filePath(name);
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
        qFatal("no script");
    file.close();
    file.setPermissions(permissions);
    return path;
}

constexpr auto read_write = QFile::ReadOwner | QFile::WriteOwner;
constexpr auto executable = read_write | QFile::ExeOwner;

} // namespace

/// create_subprocess_exec(), create_subprocess_shell(), Process.
class tst_subprocess : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        std::signal(SIGPIPE, SIG_DFL); // Qt Test has a handler of its own
        m_open = open_descriptors();
    }
    // No zombie, no descriptor, whatever a test does.
    void cleanup()
    {
        QVERIFY(!has_children());
        QCOMPARE(open_descriptors(), m_open);
    }

    // B-001, B-004
    void communicates()
    {
        Test::run(
            []() -> Coroutine<> {
                const QStringList arguments{u"-c"_s, u"cat; echo errors >&2; exit 3"_s};
                Process process = co_await create_subprocess_exec(with_pipes(), "sh", arguments);
                QASYNCIO_VERIFY(process.pid() > 0);
                QASYNCIO_COMPARE(process.to_string(), u"<Process %1>"_s.arg(process.pid()));
                QASYNCIO_VERIFY(!process.returncode());
                const ProcessOutput output = co_await process.communicate("input");
                QASYNCIO_COMPARE(output.standard_output, "input");
                QASYNCIO_COMPARE(output.standard_error, "errors\n");
                QASYNCIO_COMPARE(process.returncode(), std::optional<int>(3));
                QASYNCIO_COMPARE(co_await process.wait(), 3);
                QASYNCIO_COMPARE(co_await process.wait(), 3);
            },
            real_time);
    }

    // B-004
    void communicateWithoutInputClosesIt()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_exec(with_pipes(), "cat");
                const ProcessOutput output = co_await process.communicate();
                QASYNCIO_COMPARE(output.standard_output, "");
                QASYNCIO_COMPARE(output.standard_error, "");
                QASYNCIO_COMPARE(process.returncode(), std::optional<int>(0));
            },
            real_time);
    }

    // B-001
    void returncodesOfSignals()
    {
        Test::run(
            []() -> Coroutine<> {
                Process asked = co_await create_subprocess_exec("sleep", "1000");
                Process killed = co_await create_subprocess_exec(u"sleep"_s, u"1000"_s);
                Process hung_up = co_await create_subprocess_exec("sleep", QByteArray("1000"));
                asked.terminate();
                killed.kill();
                hung_up.send_signal(SIGHUP);
                QASYNCIO_COMPARE(co_await asked.wait(), -15);
                QASYNCIO_COMPARE(co_await killed.wait(), -9);
                QASYNCIO_COMPARE(co_await hung_up.wait(), -1);
            },
            real_time);
    }

    // B-001
    void manyMayWait()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_exec(
                    ProcessOptions().standard_input(Stdio::pipe()), "cat");
                const auto wait = [&]() -> Coroutine<int> { co_return co_await process.wait(); };
                Task<int> one = create_task(wait);
                Task<int> two = create_task(wait);
                co_await turns(2);
                QASYNCIO_VERIFY(one.to_string().contains(
                    u"wait_for=<the end of process %1>"_s.arg(process.pid())));
                process.standard_input().close();
                QASYNCIO_COMPARE(co_await one, 0);
                QASYNCIO_COMPARE(co_await two, 0);
                QASYNCIO_COMPARE(co_await process.wait(), 0);
            },
            real_time);
    }

    // B-002
    void waitDoesNotWaitForAGrandchildsPipes()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_shell(u"sleep 1000 & echo $!"_s,
                                                                   with_output());
                QASYNCIO_COMPARE(co_await process.wait(), 0);
                const QByteArray grandchild = co_await process.standard_output().readline();
                QASYNCIO_VERIFY(!process.standard_output().at_eof());
                ::kill(pid_t(grandchild.trimmed().toInt()), SIGKILL);
                QASYNCIO_COMPARE(co_await process.standard_output().read(), "");
            },
            real_time);
    }

    // B-003
    void cancellingWaitLeavesTheChild()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_exec("sleep", "1000");
                QASYNCIO_COMPARE(co_await error_of(wait_for(process.wait(), 2ms)),
                                 u"TimeoutError"_s);
                QASYNCIO_VERIFY(!process.returncode());
                QASYNCIO_VERIFY(!has_ended(process.pid()));
                process.kill();
                QASYNCIO_COMPARE(co_await process.wait(), -9);
            },
            real_time);
    }

    void waitMayLoseARace()
    {
        Test::run(
            []() -> Coroutine<> {
                Process slow = co_await create_subprocess_exec("sleep", "1000");
                Process fast = co_await create_subprocess_shell(u"exit 4"_s);
                const auto first = co_await race(slow.wait(), fast.wait());
                QASYNCIO_COMPARE(first.index(), 1u);
                QASYNCIO_COMPARE(std::get<1>(first), 4);
                slow.kill();
                QASYNCIO_COMPARE(co_await slow.wait(), -9);
            },
            real_time);
    }

    // B-004
    void outputOfAnySizeWithoutADeadlock()
    {
        Test::run(
            []() -> Coroutine<> {
                // More than a pipe holds, in both directions, and on both outputs.
                Process process = co_await create_subprocess_shell(u"tee /dev/stderr"_s,
                                                                   with_pipes().limit(1000));
                const QByteArray input(3'000'000, 'x');
                const ProcessOutput output = co_await process.communicate(input);
                QASYNCIO_VERIFY(output.standard_output == input);
                QASYNCIO_VERIFY(output.standard_error == input);
                QASYNCIO_COMPARE(process.returncode(), std::optional<int>(0));
            },
            real_time);
    }

    void aGigabyteInConstantMemory()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_shell(
                    u"head -c 1073741824 /dev/zero"_s, with_output());
                StreamReader &output = process.standard_output();
                qint64 size = 0;
                const qint64 before = resident_pages();
                qint64 most = before;
                while (!output.at_eof()) {
                    size += (co_await output.read(1 << 20)).size();
                    most = std::max(most, resident_pages());
                }
                QASYNCIO_COMPARE(size, 1 << 30);
                QASYNCIO_COMPARE(co_await process.wait(), 0);
                // A sanitizer keeps what was freed for a while.
                QASYNCIO_VERIFY(QASYNCIO_SANITIZED || most - before < 4096); // 16 MiB
            },
            real_time);
    }

    // B-004
    void aChildThatDoesNotReadItsInput()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_shell(u"exec <&-; echo done"_s,
                                                                   with_pipes());
                const ProcessOutput output = co_await process.communicate(
                    QByteArray(1'000'000, 'x'));
                QASYNCIO_COMPARE(output.standard_output, "done\n");
                QASYNCIO_COMPARE(process.returncode(), std::optional<int>(0));
            },
            real_time);
    }

    // B-005
    void communicateThatIsCancelledKeepsWhatItHasRead()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_shell(
                    u"echo one; exec 1>&-; echo errors >&2; cat >&2"_s, with_pipes());
                Task<ProcessOutput> first = create_task(process.communicate("input"));
                co_await turns(3);
                first.cancel();
                QASYNCIO_COMPARE(co_await error_of(first), u"CancelledError"_s);
                const ProcessOutput output = co_await process.communicate();
                QASYNCIO_COMPARE(output.standard_output, "one\n");
                QASYNCIO_COMPARE(output.standard_error, "errors\ninput");
                // And when all but the end of the process had come.
                Process other = co_await create_subprocess_shell(
                    u"echo out; exec 1>&-; exec sleep 1000"_s, with_output());
                QASYNCIO_COMPARE(co_await error_of(wait_for(other.communicate(), 50ms)),
                                 u"TimeoutError"_s);
                other.kill();
                QASYNCIO_COMPARE((co_await other.communicate()).standard_output, "out\n");
            },
            real_time);
    }

    void communicateGoesOnWithoutItsProcess()
    {
        Test::run(
            []() -> Coroutine<> {
                std::optional<Process> process(
                    co_await create_subprocess_exec(with_pipes().kill_on_drop(), "cat"));
                Task<ProcessOutput> task = create_task(process->communicate("input"));
                process.reset();
                QASYNCIO_COMPARE((co_await task).standard_output, "input");
            },
            real_time);
    }

    // B-007
    void signalsAfterTheEnd()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_shell(u"sleep 1000 & echo $!"_s,
                                                                   with_output());
                QASYNCIO_COMPARE(co_await process.wait(), 0);
                process.kill(); // a grandchild still has the pipe: in silence
                const QByteArray grandchild = co_await process.standard_output().readline();
                ::kill(pid_t(grandchild.trimmed().toInt()), SIGKILL);
                co_await process.standard_output().read();
                const QString ended = u"ProcessLookupError: process %1: No such process"_s.arg(
                    process.pid());
                QASYNCIO_COMPARE(error_in([&] { process.kill(); }), ended);
                QASYNCIO_COMPARE(error_in([&] { process.terminate(); }), ended);
                QASYNCIO_COMPARE(error_in([&] { process.send_signal(SIGHUP); }), ended);
                // Ended, but nobody has waited: nothing happens.
                Process other = co_await create_subprocess_exec("true");
                siginfo_t info{};
                ::waitid(P_PID, id_t(other.pid()), &info, WEXITED | WNOWAIT);
                other.kill();
                QASYNCIO_COMPARE(co_await other.wait(), 0);
                QASYNCIO_VERIFY(
                    error_in([&] { other.send_signal(0); }).startsWith(u"ProcessLookupError"_s));
            },
            real_time);
    }

    void aSignalThatIsNone()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_exec("sleep", "1000");
                QASYNCIO_VERIFY(error_in([&] {
                                    process.send_signal(1000);
                                }).startsWith(u"OSError: signal 1000 to process "_s));
                process.kill();
                co_await process.wait();
            },
            real_time);
    }

    // B-008
    void whatCannotBeStarted()
    {
        QTemporaryDir folder;
        const QString data = written_script(folder, u"data"_s, "text", read_write);
        const QString noise = written_script(folder, u"noise"_s, "text", executable);
        const QString loader = written_script(folder, u"script"_s, "#!/no/such/loader\n",
                                              executable);
        const QString bare = written_script(folder, u"only_here"_s, "text", read_write);
        Test::run(
            [&]() -> Coroutine<> {
                const auto start =
                    [&](QString program,
                        ProcessOptions options = with_pipes()) -> Coroutine<QString> {
                    co_return co_await error_of(create_subprocess_exec(options, program, "x"));
                };
                QASYNCIO_COMPARE(
                    co_await start(u"/no/such/program"_s),
                    u"FileNotFoundError: /no/such/program: No such file or directory"_s);
                QASYNCIO_COMPARE(
                    co_await start(u"no such program"_s),
                    u"FileNotFoundError: no such program: No such file or directory"_s);
                QASYNCIO_COMPARE(co_await start(data),
                                 u"PermissionError: %1: Permission denied"_s.arg(data));
                QASYNCIO_COMPARE(co_await start(folder.path()),
                                 u"PermissionError: %1: Permission denied"_s.arg(folder.path()));
                QASYNCIO_COMPARE(co_await start(noise),
                                 u"OSError: %1: Exec format error"_s.arg(noise));
                QASYNCIO_COMPARE(co_await start(loader),
                                 u"FileNotFoundError: %1: No such file or directory"_s.arg(loader));
                QASYNCIO_COMPARE(
                    co_await start(u"true"_s, with_pipes().working_directory(u"/no/such/folder"_s)),
                    u"FileNotFoundError: /no/such/folder: No such file or directory"_s);
                QASYNCIO_COMPARE(co_await start(u"true"_s, with_pipes().working_directory(data)),
                                 u"OSError: %1: Not a directory"_s.arg(data));
                QProcessEnvironment environment;
                environment.insert(u"PATH"_s, folder.path());
                QASYNCIO_COMPARE(
                    co_await start(u"only_here"_s, with_pipes().environment(environment)),
                    u"PermissionError: only_here: Permission denied"_s);
                QASYNCIO_COMPARE(co_await start(u"true"_s, with_pipes().environment(environment)),
                                 u"FileNotFoundError: true: No such file or directory"_s);
                QASYNCIO_COMPARE(
                    co_await start(u"true"_s,
                                   ProcessOptions().standard_output(Stdio::descriptor(9999))),
                    u"OSError: descriptor 9999 for a child: Bad file descriptor"_s);
            },
            real_time);
    }

    void argumentsThatCannotBe()
    {
        Test::run(
            []() -> Coroutine<> {
                const QString null = QStringLiteral("a") + QChar(u'\0');
                QASYNCIO_VERIFY((co_await error_of(create_subprocess_exec("true", null)))
                                    .startsWith(u"ValueError: embedded null character"_s));
                QASYNCIO_VERIFY((co_await error_of(create_subprocess_shell(null)))
                                    .startsWith(u"ValueError: embedded null character"_s));
                QASYNCIO_COMPARE(co_await error_of(create_subprocess_exec(QStringList())),
                                 u"ValueError: a subprocess needs a program"_s);
                QASYNCIO_COMPARE(co_await error_of(create_subprocess_exec("")),
                                 u"ValueError: a subprocess needs a program"_s);
                QASYNCIO_COMPARE(
                    co_await error_of(create_subprocess_exec(with_output().limit(0), "true")),
                    u"ValueError: Limit cannot be <= 0"_s);
                const QString merged = u"ValueError: Stdio::standard_output() can only be used for "
                                       "standard error"_s;
                QASYNCIO_COMPARE(
                    co_await error_of(create_subprocess_exec(
                        ProcessOptions().standard_output(Stdio::standard_output()), "true")),
                    merged);
                QASYNCIO_COMPARE(
                    co_await error_of(create_subprocess_exec(
                        ProcessOptions().standard_input(Stdio::standard_output()), "true")),
                    merged);
            },
            real_time);
    }

    void withoutDescriptorsNothingIsStarted()
    {
        Test::run(
            []() -> Coroutine<> {
                // UndefinedBehaviorSanitizer needs a descriptor for each type that it has not seen.
                Task<Process> seen = create_task(create_subprocess_exec(with_pipes(), "true"));
                co_await end_of(seen);
                co_await (co_await std::move(seen)).wait();
                // One after the other comes to its end: every step must clean up.
                for (int left = 0; left < 12; ++left) {
                    std::vector<int> taken;
                    for (int fd; (fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0;)
                        taken.push_back(fd);
                    for (int i = 0; i < left; ++i) {
                        ::close(taken.back());
                        taken.pop_back();
                    }
                    Task<Process> task = create_task(create_subprocess_exec(with_pipes(), "true"));
                    co_await end_of(task);
                    const QString error = task.exception() ? describe(task.exception()) : QString();
                    for (const int fd : taken)
                        ::close(fd);
                    if (left < 6)
                        QASYNCIO_VERIFY(error.startsWith(u"OSError: "_s)
                                        && error.endsWith(u"Too many open files"_s));
                    if (error.isEmpty())
                        co_await (co_await std::move(task)).wait();
                    QASYNCIO_VERIFY(!has_children());
                }
            },
            real_time);
    }

    // B-009
    void aStartThatIsCancelledLeavesNoChild()
    {
        Test::run(
            []() -> Coroutine<> {
                Task<Process> task = create_task(create_subprocess_exec("sleep", "1000"));
                co_await turns(1);
                task.cancel();
                QASYNCIO_COMPARE(co_await error_of(std::move(task)), u"CancelledError"_s);
                QASYNCIO_VERIFY(!has_children());
                // The same if it was cancelled before it came here.
                const auto start = []() -> Coroutine<> {
                    static_cast<void>(co_await is_cancelled_asleep());
                    co_await create_subprocess_exec("true");
                };
                Task<> late = create_task(start);
                co_await turns(1);
                late.cancel();
                late.cancel();
                co_await error_of(late);
                QASYNCIO_VERIFY(co_await comes_true([] { return !has_children(); }));
            },
            real_time);
    }

    // B-011
    void streamsOfEveryKind()
    {
        QTemporaryDir folder;
        Test::run(
            [&]() -> Coroutine<> {
                const auto merged = co_await output_of(
                    with_output().standard_error(Stdio::standard_output()),
                    u"echo one; echo two >&2; echo three"_s);
                QASYNCIO_COMPARE(merged.standard_output, "one\ntwo\nthree\n");
                QASYNCIO_VERIFY(merged.standard_error.isNull());

                const auto null = co_await output_of(
                    with_pipes().standard_input(Stdio::null()).standard_output(Stdio::null()),
                    u"cat; echo lost; echo kept >&2"_s);
                QASYNCIO_VERIFY(null.standard_output.isNull());
                QASYNCIO_COMPARE(null.standard_error, "kept\n");

                const auto silent = co_await output_of(with_output(), u"true"_s);
                QASYNCIO_VERIFY(!silent.standard_output.isNull());
                QASYNCIO_COMPARE(silent.standard_output, "");

                QFile file(folder.filePath(u"out"_s));
                QASYNCIO_VERIFY(file.open(QIODevice::ReadWrite));
                Process to_file = co_await create_subprocess_shell(
                    u"echo to a file; echo errors too >&2"_s,
                    ProcessOptions()
                        .standard_output(Stdio::descriptor(file.handle()))
                        .standard_error(Stdio::standard_output()));
                QASYNCIO_COMPARE(co_await to_file.wait(), 0);
                QASYNCIO_VERIFY(file.seek(0));
                QASYNCIO_COMPARE(file.readAll(), "to a file\nerrors too\n");
                QASYNCIO_COMPARE(error_in([&] { to_file.standard_output(); }),
                                 u"RuntimeError: standard output of this process is no pipe"_s);
                QASYNCIO_COMPARE(error_in([&] { to_file.standard_error(); }),
                                 u"RuntimeError: standard error of this process is no pipe"_s);
                QASYNCIO_COMPARE(error_in([&] { to_file.standard_input(); }),
                                 u"RuntimeError: standard input of this process is no pipe"_s);
            },
            real_time);
    }

    void standardStreamsMayBeSwapped()
    {
        Test::run(
            []() -> Coroutine<> {
                // The parent's own 1 and 2, each as the other one.
                Pipe out, error;
                const int outer[] = {::dup(1), ::dup(2)};
                std::fflush(nullptr);
                ::dup2(out.write_end(), 1);
                ::dup2(error.write_end(), 2);
                Task<Process> task = create_task(
                    create_subprocess_shell(u"echo out; echo error >&2"_s,
                                            ProcessOptions()
                                                .standard_output(Stdio::descriptor(2))
                                                .standard_error(Stdio::descriptor(1))));
                co_await end_of(task);
                ::dup2(outer[0], 1);
                ::dup2(outer[1], 2);
                ::close(outer[0]);
                ::close(outer[1]);
                Process process = co_await std::move(task);
                QASYNCIO_COMPARE(co_await process.wait(), 0);
                char text[10];
                QASYNCIO_COMPARE(QByteArray(text, ::read(error.read_end(), text, sizeof text)),
                                 "out\n");
                QASYNCIO_COMPARE(QByteArray(text, ::read(out.read_end(), text, sizeof text)),
                                 "error\n");
            },
            real_time);
    }

    void thePipesMayHaveTheNumbersOfStandardStreams()
    {
        Test::run(
            []() -> Coroutine<> {
                // With 0 and 1 closed the pipes get these numbers.
                const int outer[] = {::fcntl(0, F_DUPFD_CLOEXEC, 10),
                                     ::fcntl(1, F_DUPFD_CLOEXEC, 10)};
                std::fflush(nullptr);
                ::close(0);
                ::close(1);
                Task<Process> task = create_task(
                    create_subprocess_shell(u"cat; echo error >&2"_s, with_pipes()));
                co_await end_of(task);
                QString failure;
                ProcessOutput output;
                {
                    Process process = co_await std::move(task);
                    Task<ProcessOutput> communicating = create_task(process.communicate("input"));
                    co_await end_of(communicating);
                    output = co_await communicating;
                }
                co_await turns(3);
                ::dup2(outer[0], 0);
                ::dup2(outer[1], 1);
                ::close(outer[0]);
                ::close(outer[1]);
                QASYNCIO_COMPARE(output.standard_output, "input");
                QASYNCIO_COMPARE(output.standard_error, "error\n");
            },
            real_time);
    }

    void folderEnvironmentAndArguments()
    {
        QTemporaryDir folder;
        const QString script = written_script(folder, u"here"_s, "#!/bin/sh\necho from $0\n",
                                              executable);
        Test::run(
            [&]() -> Coroutine<> {
                const QString path = QDir(folder.path()).canonicalPath();
                const auto where = co_await output_of(
                    with_output().working_directory(folder.path()), u"pwd -P"_s);
                QASYNCIO_COMPARE(QString::fromUtf8(where.standard_output), path + u'\n');

                QProcessEnvironment environment;
                environment.insert(u"GREETING"_s, u"grüß dich"_s);
                Process env = co_await create_subprocess_exec(
                    with_output().environment(environment), "/usr/bin/env");
                QASYNCIO_COMPARE((co_await env.communicate()).standard_output,
                                 "GREETING=grüß dich\n");

                const QStringList more{u""_s, u"two words"_s};
                Process echo = co_await create_subprocess_exec(with_output(), "printf", u"[%s]"_s,
                                                               more, "*", QString());
                QASYNCIO_COMPARE((co_await echo.communicate()).standard_output,
                                 "[][two words][*][]");

                // Looked for in the child's PATH; one with a '/' from the child's folder.
                environment.insert(u"PATH"_s, u"/no/such/folder:"_s + folder.path());
                Process found = co_await create_subprocess_exec(
                    with_output().environment(environment), "here");
                QASYNCIO_COMPARE((co_await found.communicate()).standard_output,
                                 "from " + QFile::encodeName(script) + '\n');
                Process relative = co_await create_subprocess_exec(
                    with_output().working_directory(folder.path()), "./here");
                QASYNCIO_COMPARE((co_await relative.communicate()).standard_output,
                                 "from ./here\n");
                environment.insert(u"PATH"_s, u"."_s);
                Process dot = co_await create_subprocess_exec(
                    with_output().environment(environment).working_directory(folder.path()),
                    "here");
                QASYNCIO_COMPARE((co_await dot.communicate()).standard_output, "from ./here\n");
            },
            real_time);
    }

    void sessionsAndGroups()
    {
        Test::run(
            []() -> Coroutine<> {
                const QString ids = u"cut -d ' ' -f 1,5,6 /proc/$$/stat"_s;
                const auto numbers = [](const ProcessOutput &output) {
                    std::vector<int> all;
                    for (const QByteArray &number : output.standard_output.simplified().split(' '))
                        all.push_back(number.toInt());
                    return all;
                };
                const auto plain = numbers(co_await output_of(with_output(), ids));
                QASYNCIO_COMPARE(plain.size(), 3u);
                QASYNCIO_COMPARE(plain[1], int(::getpgrp()));
                QASYNCIO_COMPARE(plain[2], int(::getsid(0)));
                const auto group = numbers(
                    co_await output_of(with_output().new_process_group(), ids));
                QASYNCIO_COMPARE(group[1], group[0]);
                QASYNCIO_COMPARE(group[2], int(::getsid(0)));
                const auto session = numbers(co_await output_of(with_output().new_session(), ids));
                QASYNCIO_COMPARE(session[1], session[0]);
                QASYNCIO_COMPARE(session[2], session[0]);
            },
            real_time);
    }

    void aChildHasNoDescriptorsButItsOwn()
    {
        Test::run(
            []() -> Coroutine<> {
                Pipe inherited; // not closed on exec
                const QString list = u"for fd in /proc/self/fd/*; do echo ${fd##*/}; done"_s;
                const auto fds = [](const ProcessOutput &output) {
                    std::vector<int> all;
                    for (const QByteArray &number : output.standard_output.trimmed().split('\n'))
                        all.push_back(number.toInt());
                    std::sort(all.begin(), all.end());
                    // The shell has the folder itself open under some number.
                    std::erase_if(all, [](int fd) { return fd > 2 && fd < 20; });
                    return all;
                };
                const int high = ::fcntl(inherited.read_end(), F_DUPFD, 40);
                const int higher = ::fcntl(inherited.read_end(), F_DUPFD, 50);
                const int passed = ::fcntl(inherited.write_end(), F_DUPFD_CLOEXEC, 45);
                const std::vector<int> one{passed};
                const std::vector<int> some{high, passed, high, 1};
                const std::vector<int> alone{0, 1, 2};
                const std::vector<int> with_one{0, 1, 2, passed};
                const std::vector<int> with_some{0, 1, 2, high, passed};
                QASYNCIO_COMPARE(fds(co_await output_of(with_pipes(), list)), alone);
                QASYNCIO_COMPARE(fds(co_await output_of(with_pipes().pass_fds(one), list)),
                                 with_one);
                QASYNCIO_COMPARE(fds(co_await output_of(with_pipes().pass_fds(some), list)),
                                 with_some);
                Process writer = co_await create_subprocess_shell(
                    u"echo passed > /proc/self/fd/%1"_s.arg(passed),
                    ProcessOptions().pass_fds(one));
                QASYNCIO_COMPARE(co_await writer.wait(), 0);
                char text[10];
                QASYNCIO_COMPARE(QByteArray(text, ::read(inherited.read_end(), text, sizeof text)),
                                 "passed\n");
                QASYNCIO_VERIFY(::fcntl(passed, F_GETFD) & FD_CLOEXEC);
                for (const int fd : {high, higher, passed})
                    ::close(fd);
            },
            real_time);
    }

    void ignoredSignalsAreNotHandedOn()
    {
        Test::run(
            []() -> Coroutine<> {
                // A reader that goes ends the writer, as everywhere; here SIGPIPE is ignored.
                Process process = co_await create_subprocess_shell(
                    u"yes; kill -l $?"_s, with_output().standard_error(Stdio::null()));
                QASYNCIO_COMPARE(co_await process.standard_output().readline(), "y\n");
                process.standard_output().close();
                QASYNCIO_COMPARE(co_await process.wait(), -SIGPIPE); // kill -l cannot write either
            },
            real_time);
    }

    // B-012
    void theInputOfAChildThatHasEnded()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_exec(
                    ProcessOptions().standard_input(Stdio::pipe()), "true");
                QASYNCIO_COMPARE(co_await process.wait(), 0);
                StreamWriter &input = process.standard_input();
                QASYNCIO_VERIFY(co_await comes_true([&] { return input.is_closing(); }));
                input.write("nobody reads this");
                QASYNCIO_COMPARE(
                    co_await error_of(input.drain()),
                    u"ConnectionResetError: Connection lost: Connection reset by peer"_s);
                co_await input.wait_closed();
            },
            real_time);
    }

    // B-011
    void outputStaysReadableAfterTheEnd()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_shell(u"echo one; echo two"_s,
                                                                   with_output());
                QASYNCIO_COMPARE(co_await process.wait(), 0);
                QASYNCIO_COMPARE(co_await process.standard_output().readline(), "one\n");
                QASYNCIO_COMPARE(co_await process.standard_output().readline(), "two\n");
                QASYNCIO_COMPARE(co_await process.standard_output().readline(), "");
            },
            real_time);
    }

    // B-006
    void aChildWhosePipeIsFullDoesNotEnd()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_shell(u"head -c 1000000 /dev/zero"_s,
                                                                   with_output().limit(1000));
                QASYNCIO_COMPARE(co_await error_of(wait_for(process.wait(), 50ms)),
                                 u"TimeoutError"_s);
                QASYNCIO_COMPARE((co_await process.standard_output().read()).size(), 1000000);
                QASYNCIO_COMPARE(co_await process.wait(), 0);
            },
            real_time);
    }

    void aChildOutlivesItsProcess()
    {
        Test::run(
            []() -> Coroutine<> {
                qint64 pid = 0;
                {
                    Process process = co_await create_subprocess_exec(
                        ProcessOptions()
                            .standard_input(Stdio::pipe())
                            .standard_output(Stdio::null()),
                        "cat");
                    pid = process.pid();
                    process.standard_input().write("still written");
                }
                // Its input has ended with the Process; the loop waits for it.
                QASYNCIO_VERIFY(co_await comes_true([&] { return has_vanished(pid); }));
            },
            real_time);
    }

    // B-014
    void killOnDrop()
    {
        Test::run(
            []() -> Coroutine<> {
                qint64 pid = 0;
                const auto owner = [&]() -> Coroutine<> {
                    Process process = co_await create_subprocess_exec(
                        ProcessOptions().kill_on_drop(), "sleep", "1000");
                    pid = process.pid();
                    co_await process.wait();
                };
                QASYNCIO_COMPARE(co_await error_of(wait_for(owner(), 20ms)), u"TimeoutError"_s);
                QASYNCIO_VERIFY(co_await comes_true([&] { return has_vanished(pid); }));
                // Without it the child goes on.
                {
                    Process process = co_await create_subprocess_exec("sleep", "1000");
                    pid = process.pid();
                }
                co_await sleep(5ms);
                QASYNCIO_VERIFY(!has_ended(pid));
                ::kill(pid_t(pid), SIGKILL);
                QASYNCIO_VERIFY(co_await comes_true([&] { return has_vanished(pid); }));
            },
            real_time);
    }

    void killGroupOnDrop()
    {
        Test::run(
            []() -> Coroutine<> {
                qint64 child = 0;
                qint64 grandchild = 0;
                {
                    Process process = co_await create_subprocess_shell(
                        u"sleep 1000 & echo $!; wait"_s, with_output().kill_group_on_drop());
                    child = process.pid();
                    grandchild = (co_await process.standard_output().readline()).trimmed().toInt();
                    QASYNCIO_VERIFY(grandchild > 0 && !has_ended(grandchild));
                }
                QASYNCIO_VERIFY(co_await comes_true([&] { return has_vanished(child); }));
                QASYNCIO_VERIFY(co_await comes_true([&] { return has_ended(grandchild); }));
                // A child that has ended is no longer the leader of its group: nothing is killed.
                {
                    Process process = co_await create_subprocess_shell(
                        u"sleep 1000 & echo $!"_s, with_output().kill_group_on_drop());
                    grandchild = (co_await process.standard_output().readline()).trimmed().toInt();
                    QASYNCIO_COMPARE(co_await process.wait(), 0);
                }
                co_await sleep(5ms);
                QASYNCIO_VERIFY(!has_ended(grandchild));
                ::kill(pid_t(grandchild), SIGKILL);
            },
            real_time);
    }

    void aChildThatIgnoresSigtermCanBeKilled()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_shell(
                    u"trap '' TERM; echo ready; while :; do sleep 0.01; done"_s, with_output());
                QASYNCIO_COMPARE(co_await process.standard_output().readline(), "ready\n");
                process.terminate();
                QASYNCIO_COMPARE(co_await error_of(wait_for(process.wait(), 30ms)),
                                 u"TimeoutError"_s);
                process.kill();
                QASYNCIO_COMPARE(co_await process.wait(), -SIGKILL);
            },
            real_time);
    }

    // H-68
    void aHundredAtOnce()
    {
        Test::run(
            []() -> Coroutine<> {
                const auto run_one = [](int number) -> Coroutine<> {
                    Process process = co_await create_subprocess_shell(
                        u"cat; exit %1"_s.arg(number),
                        ProcessOptions()
                            .standard_input(Stdio::pipe())
                            .standard_output(Stdio::pipe()));
                    const QByteArray input = QByteArray::number(number);
                    const ProcessOutput output = co_await process.communicate(input);
                    QASYNCIO_COMPARE(output.standard_output, input);
                    QASYNCIO_COMPARE(process.returncode(), std::optional<int>(number));
                };
                co_await task_group([&](TaskGroup &group) -> Coroutine<> {
                    for (int i = 0; i < 100; ++i)
                        group.create_task(run_one, i);
                    co_return;
                });
            },
            real_time);
    }

    void worksBesideQProcessAndAHandlerOfSigchld()
    {
        SKIP_WITHOUT_PROCESSES();
        struct sigaction before, handler{};
        handler.sa_handler = [](int) { };
        ::sigaction(SIGCHLD, &handler, &before);
        Test::run(
            []() -> Coroutine<> {
                QProcess theirs;
                theirs.start(u"sh"_s, {u"-c"_s, u"exit 5"_s});
                Process ours = co_await create_subprocess_shell(u"exit 6"_s);
                co_await from_signal(&theirs, &QProcess::finished);
                QASYNCIO_COMPARE(theirs.exitCode(), 5);
                QASYNCIO_COMPARE(co_await ours.wait(), 6);
            },
            real_time);
        ::sigaction(SIGCHLD, &before, nullptr);
    }

    // B-015
    void somebodyElseWaitsForTheChild()
    {
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_exec("sleep", "1000");
                ::kill(pid_t(process.pid()), SIGKILL);
                QASYNCIO_VERIFY(::waitpid(pid_t(process.pid()), nullptr, 0) == process.pid());
                QTest::ignoreMessage(QtWarningMsg,
                                     QRegularExpression(u"something else has waited for child "
                                                        "process \\d+"_s));
                QASYNCIO_COMPARE(co_await process.wait(), 255);
            },
            real_time);
        // SIGCHLD ignored: the system itself takes the children away.
        std::signal(SIGCHLD, SIG_IGN);
        Test::run(
            []() -> Coroutine<> {
                QTest::ignoreMessage(QtWarningMsg,
                                     QRegularExpression(u"something else has waited"_s));
                Process process = co_await create_subprocess_exec("true");
                QASYNCIO_COMPARE(co_await process.wait(), 255);
            },
            real_time);
        std::signal(SIGCHLD, SIG_DFL);
    }

    // B-015
    void withoutPidfdsAThreadWaits()
    {
        qputenv("QASYNCIO_CHILD_WATCHER", "thread");
        const QScopeGuard restore([] { qunsetenv("QASYNCIO_CHILD_WATCHER"); });
        Test::run(
            []() -> Coroutine<> {
                Process process = co_await create_subprocess_exec(with_pipes(), "cat");
                QASYNCIO_COMPARE((co_await process.communicate("input")).standard_output, "input");
                QASYNCIO_COMPARE(process.returncode(), std::optional<int>(0));
                Process other = co_await create_subprocess_exec("sleep", "1000");
                other.kill();
                QASYNCIO_COMPARE(co_await other.wait(), -9);
                QASYNCIO_VERIFY(
                    error_in([&] { other.kill(); }).startsWith(u"ProcessLookupError"_s));
                qint64 pid = 0;
                {
                    Process dropped = co_await create_subprocess_exec(
                        ProcessOptions().kill_on_drop(), "sleep", "1000");
                    pid = dropped.pid();
                }
                // Nobody is left who would wait in the loop; the next one does.
                QASYNCIO_VERIFY(co_await comes_true([&] { return has_ended(pid); }));
                Process next = co_await create_subprocess_exec("true");
                QASYNCIO_COMPARE(co_await next.wait(), 0);
                QASYNCIO_VERIFY(has_vanished(pid));
            },
            real_time);
    }

    // B-014
    void aChildOutlivesItsLoop()
    {
        qint64 dropped = 0;
        std::optional<Process> kept;
        {
            QAsyncioLoop loop;
            loop.run_until_complete([&]() -> Coroutine<> {
                Process process = co_await create_subprocess_exec("sleep", "1000");
                dropped = process.pid();
                kept = co_await create_subprocess_exec(ProcessOptions().kill_on_drop(), "sleep",
                                                       "1000");
            }());
            loop.close();
        }
        QVERIFY(!has_ended(dropped));
        QVERIFY(!kept->returncode());
        Test::run(
            [&]() -> Coroutine<> {
                const auto wait = [&]() -> Coroutine<int> { co_return co_await kept->wait(); };
                QASYNCIO_VERIFY((co_await error_of(wait())).startsWith(u"RuntimeError: "_s));
                const qint64 pid = kept->pid();
                kept.reset();
                QASYNCIO_VERIFY(co_await comes_true([&] { return has_ended(pid); }));
                ::kill(pid_t(dropped), SIGKILL);
                QASYNCIO_VERIFY(co_await comes_true([&] { return has_ended(dropped); }));
                // The next one takes both away.
                Process next = co_await create_subprocess_exec("true");
                QASYNCIO_COMPARE(co_await next.wait(), 0);
                QASYNCIO_VERIFY(has_vanished(pid) && has_vanished(dropped));
            },
            real_time);
    }

    void worksInALoopOfAnotherThread()
    {
        QString result;
        in_another_thread([&] {
            QAsyncioLoop loop;
            result = loop.run_until_complete([]() -> Coroutine<QString> {
                Process process = co_await create_subprocess_exec(with_pipes(), "cat");
                const ProcessOutput output = co_await process.communicate("from a thread");
                co_return QString::fromUtf8(output.standard_output);
            }());
            loop.close();
        });
        QCOMPARE(result, u"from a thread"_s);
    }

    void processesCanBeMoved()
    {
        Test::run(
            []() -> Coroutine<> {
                Process one = co_await create_subprocess_exec(ProcessOptions().kill_on_drop(),
                                                              "sleep", "1000");
                const qint64 first = one.pid();
                Process two = co_await create_subprocess_shell(u"exit 2"_s);
                const qint64 second = two.pid();
                one = std::move(two);
                QASYNCIO_COMPARE(one.pid(), second);
                QASYNCIO_VERIFY(co_await comes_true([&] { return has_vanished(first); }));
                QASYNCIO_COMPARE(co_await one.wait(), 2);
            },
            real_time);
    }

private:
    std::vector<int> m_open;
};

QTEST_GUILESS_MAIN(tst_subprocess)
#include "tst_subprocess.moc"
