// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/errors.h"

#include <cxxabi.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <typeinfo>
#include <utility>
#include <vector>

namespace QAsyncio {

void detail::release_exception(std::exception_ptr &&exception) noexcept
{
    // Set while a call that is on the stack releases exceptions.
    static thread_local std::vector<std::exception_ptr> *waiting = nullptr;
    if (waiting) {
        try {
            waiting->push_back(std::move(exception));
            return;
        } catch (const std::bad_alloc &) { // then it is released by recursion
        }
        const std::exception_ptr last = std::move(exception);
        return;
    }
    std::vector<std::exception_ptr> all;
    waiting = &all;
    std::exception_ptr last = std::move(exception);
    for (;;) {
        last = nullptr;
        if (all.empty())
            break;
        last = std::move(all.back());
        all.pop_back();
    }
    waiting = nullptr;
}

// Out of line, so that each class has one vtable and typeinfo: in the library, where every program
// finds it.
Error::~Error() = default;
RuntimeError::~RuntimeError() = default;
ValueError::~ValueError() = default;
TypeError::~TypeError() = default;
LookupError::~LookupError() = default;
InvalidStateError::~InvalidStateError() = default;
TimeoutError::~TimeoutError() = default;
ObjectDestroyedError::~ObjectDestroyedError() = default;
BrokenBarrierError::~BrokenBarrierError() = default;
QueueEmpty::~QueueEmpty() = default;
QueueFull::~QueueFull() = default;
QueueShutDown::~QueueShutDown() = default;
StreamClosedError::~StreamClosedError() = default;
OSError::~OSError() = default;
FileNotFoundError::~FileNotFoundError() = default;
PermissionError::~PermissionError() = default;
ProcessLookupError::~ProcessLookupError() = default;
ConnectionError::~ConnectionError() = default;
BrokenPipeError::~BrokenPipeError() = default;
ConnectionResetError::~ConnectionResetError() = default;

std::exception_ptr make_os_error(int errnum, const QString &what)
{
    switch (errnum) {
    case ENOENT:
        return std::make_exception_ptr(FileNotFoundError(errnum, what));
    case EACCES:
    case EPERM:
        return std::make_exception_ptr(PermissionError(errnum, what));
    case ESRCH:
        return std::make_exception_ptr(ProcessLookupError(errnum, what));
    case EPIPE:
        return std::make_exception_ptr(BrokenPipeError(errnum, what));
    case ECONNRESET:
        return std::make_exception_ptr(ConnectionResetError(errnum, what));
    default:
        return std::make_exception_ptr(OSError(errnum, what));
    }
}

namespace {

/// The class's name as it is written: "std::runtime_error", "ValueError".
QString type_name(const std::type_info &type)
{
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
    QString name = QString::fromUtf8(status == 0 ? readable.get() : type.name());
    if (name.startsWith(QLatin1String("QAsyncio::")))
        name.remove(0, 10);
    return name;
}

QString with_text(const QString &name, const QString &text)
{
    return text.isEmpty() ? name : name + QLatin1String(": ") + text;
}

} // namespace

QString describe(const std::exception &exception)
{
    return with_text(type_name(typeid(exception)), QString::fromUtf8(exception.what()));
}

QString describe(const CancelledError &exception)
{
    return with_text(QStringLiteral("CancelledError"), exception.message());
}

QString describe(const LoopExit &exception)
{
    return with_text(QStringLiteral("LoopExit"), QString::number(exception.code()));
}

QString describe(const std::exception_ptr &exception)
{
    if (!exception)
        return {};
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception &error) {
        return describe(error);
    } catch (const CancelledError &error) {
        return describe(error);
    } catch (const LoopExit &exit) {
        return describe(exit);
    } catch (...) {
        const std::type_info *type = abi::__cxa_current_exception_type();
        return type ? type_name(*type) : QStringLiteral("unknown exception");
    }
}

} // namespace QAsyncio
