// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "base/exception_kind.h"

namespace QAsyncio::detail {

ExceptionKind kind_of(const std::exception_ptr &exception)
{
    constexpr int interrupted = 130; // as a shell reports it: 128 + SIGINT
    if (!exception)
        return {};
    try {
        std::rethrow_exception(exception);
    } catch (const CancelledError &error) {
        return {ExceptionKind::Cancellation, error.message(), 0};
    } catch (const LoopExit &exit) {
        return {ExceptionKind::Exit, QString(), exit.code()};
    } catch (const KeyboardInterrupt &) {
        return {ExceptionKind::Interrupt, QString(), interrupted};
    } catch (...) {
        return {ExceptionKind::Ordinary, QString(), 0};
    }
}

} // namespace QAsyncio::detail
