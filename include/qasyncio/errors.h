// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

#include <QtCore/qbytearray.h>
#include <QtCore/qstring.h>

#include <exception>
#include <system_error>
#include <utility>

namespace QAsyncio {

namespace detail {
/// Destroys an exception without recursion: its causes or members, and theirs in turn, may form a
/// long chain.
QASYNCIO_EXPORT void release_exception(std::exception_ptr &&exception) noexcept;

/// A reference from one exception to another one.
class LinkedException
{
public:
    LinkedException() = default;
    explicit LinkedException(std::exception_ptr exception) : m_exception(std::move(exception)) { }
    LinkedException(const LinkedException &) = default;
    LinkedException(LinkedException &&) = default;
    LinkedException &operator=(LinkedException other) noexcept
    {
        std::swap(m_exception, other.m_exception);
        return *this;
    }
    ~LinkedException()
    {
        if (m_exception)
            release_exception(std::move(m_exception));
    }
    operator const std::exception_ptr &() const { return m_exception; }

private:
    std::exception_ptr m_exception;
};
} // namespace detail

/// Thrown at the await of a task that was cancelled, and by result() of a cancelled future.
///
/// It is deliberately not a std::exception, so that `catch (const std::exception &)` never swallows
/// a cancellation. Code that catches it with `catch (...)` should clean up and throw it again.
/// \sa https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.CancelledError
class QASYNCIO_EXPORT CancelledError
{
public:
    /// Without a message.
    CancelledError() = default;
    explicit CancelledError(const QString &message) : m_message(message) { }

    /// The message that was passed to cancel(message). Null if there was none.
    const QString &message() const { return m_message; }

private:
    QString m_message;
};

/// Throw it in any callback or task to end the program, as Python's SystemExit does: run_forever()
/// ends and throws it. Not a std::exception.
class QASYNCIO_EXPORT LoopExit
{
public:
    explicit LoopExit(int code = 0) : m_code(code) { }
    /// The exit code for the program. run(app, ...) returns it.
    int code() const { return m_code; }

private:
    int m_code;
};

/// Thrown by run_forever() after Ctrl+C, see Runner. Not a std::exception.
class QASYNCIO_EXPORT KeyboardInterrupt{};

/// Thrown at the co_yield of an AsyncGenerator that is being closed. Not a std::exception.
class QASYNCIO_EXPORT GeneratorExit{};

/// The base class of the errors below. `what()` and `message()` give the same text, as UTF-8 and as
/// a QString.
class QASYNCIO_EXPORT Error : public std::exception
{
public:
    /// An error with this text.
    explicit Error(const QString &message = {}) : m_what(message.toUtf8()) { }
    /// The same, with the exception that caused it: Python's `raise ... from cause`.
    Error(const QString &message, std::exception_ptr cause)
        : m_what(message.toUtf8()), m_cause(std::move(cause))
    { }
    Error(const Error &) = default;
    Error(Error &&) = default;
    Error &operator=(const Error &) = default;
    Error &operator=(Error &&) = default;
    ~Error() override;

    const char *what() const noexcept override { return m_what.constData(); }
    QString message() const { return QString::fromUtf8(m_what); }
    /// The exception that caused this one (Python's `__cause__`), or null.
    std::exception_ptr cause() const { return m_cause; }

private:
    QByteArray m_what;
    detail::LinkedException m_cause;
};

/// Something was done in a state that forbids it: a loop is closed, a run is nested, an object is
/// used a second time.
class QASYNCIO_EXPORT RuntimeError : public Error
{
public:
    using Error::Error;
    ~RuntimeError() override;
};

/// An argument has the right type but a wrong value.
class QASYNCIO_EXPORT ValueError : public Error
{
public:
    using Error::Error;
    ~ValueError() override;
};

/// An argument is of the wrong kind, such as a null std::exception_ptr.
class QASYNCIO_EXPORT TypeError : public Error
{
public:
    using Error::Error;
    ~TypeError() override;
};

/// A context variable was read that has neither a value nor a default value.
class QASYNCIO_EXPORT LookupError : public Error
{
public:
    using Error::Error;
    ~LookupError() override;
};

/// A future was read before it was done, or was completed twice.
class QASYNCIO_EXPORT InvalidStateError : public Error
{
public:
    using Error::Error;
    ~InvalidStateError() override;
};

/// A deadline has passed. If it was that of timeout() or wait_for(), `cause()` is the
/// CancelledError that ended the work.
class QASYNCIO_EXPORT TimeoutError : public Error
{
public:
    using Error::Error;
    ~TimeoutError() override;
};

/// The QObject that was awaited has been destroyed. This is different from a failure of the object,
/// a timeout and a cancellation.
class QASYNCIO_EXPORT ObjectDestroyedError : public Error
{
public:
    using Error::Error;
    ~ObjectDestroyedError() override;
};

/// A Barrier was aborted or reset while a task was waiting at it, or has been aborted before.
/// \sa https://docs.python.org/3/library/asyncio-sync.html#asyncio.BrokenBarrierError
class QASYNCIO_EXPORT BrokenBarrierError : public RuntimeError
{
public:
    using RuntimeError::RuntimeError;
    ~BrokenBarrierError() override;
};

/// get_nowait() found nothing in the queue.
/// \sa https://docs.python.org/3/library/asyncio-queue.html#exceptions
class QASYNCIO_EXPORT QueueEmpty : public Error
{
public:
    using Error::Error;
    ~QueueEmpty() override;
};

/// put_nowait() found no room in the queue.
class QASYNCIO_EXPORT QueueFull : public Error
{
public:
    using Error::Error;
    ~QueueFull() override;
};

/// Something was put into a queue that has been shut down, or taken from one that is empty besides.
class QASYNCIO_EXPORT QueueShutDown : public Error
{
public:
    using Error::Error;
    ~QueueShutDown() override;
};

/// A stream was closed while somebody was reading from it, or before.
class QASYNCIO_EXPORT StreamClosedError : public Error
{
public:
    using Error::Error;
    ~StreamClosedError() override;
};

/// The operating system has refused something. `code()` has the errno.
class QASYNCIO_EXPORT OSError : public std::system_error
{
public:
    /// An error with this errno. `what` says what failed.
    OSError(int errnum, const QString &what)
        : std::system_error(errnum, std::generic_category(), what.toStdString())
    { }
    OSError(const OSError &) = default;
    OSError &operator=(const OSError &) = default;
    ~OSError() override;
};

/// A program, or another file, does not exist (ENOENT).
/// \sa https://docs.python.org/3/library/exceptions.html#os-exceptions
class QASYNCIO_EXPORT FileNotFoundError : public OSError
{
public:
    using OSError::OSError;
    ~FileNotFoundError() override;
};

/// The system does not allow it (EACCES, EPERM).
class QASYNCIO_EXPORT PermissionError : public OSError
{
public:
    using OSError::OSError;
    ~PermissionError() override;
};

/// There is no such process (ESRCH): it has ended.
class QASYNCIO_EXPORT ProcessLookupError : public OSError
{
public:
    using OSError::OSError;
    ~ProcessLookupError() override;
};

/// The base of the errors of a connection or a pipe.
class QASYNCIO_EXPORT ConnectionError : public OSError
{
public:
    using OSError::OSError;
    ~ConnectionError() override;
};

/// Nobody reads any more what is written (EPIPE).
class QASYNCIO_EXPORT BrokenPipeError : public ConnectionError
{
public:
    using ConnectionError::ConnectionError;
    ~BrokenPipeError() override;
};

/// The other side has ended the connection (ECONNRESET).
class QASYNCIO_EXPORT ConnectionResetError : public ConnectionError
{
public:
    using ConnectionError::ConnectionError;
    ~ConnectionResetError() override;
};

/// An OSError of the class that fits `errnum`.
QASYNCIO_EXPORT std::exception_ptr make_os_error(int errnum, const QString &what);

/// The text of an exception for a log line: "ValueError: no such name". For an exception of another
/// library it has the name of the type and what().
QASYNCIO_EXPORT QString describe(const std::exception_ptr &exception);
QASYNCIO_EXPORT QString describe(const std::exception &exception);
QASYNCIO_EXPORT QString describe(const CancelledError &exception);
QASYNCIO_EXPORT QString describe(const LoopExit &exception);
inline QString describe(const KeyboardInterrupt &)
{
    return QStringLiteral("KeyboardInterrupt");
}
inline QString describe(const GeneratorExit &)
{
    return QStringLiteral("GeneratorExit");
}

} // namespace QAsyncio
