// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"

#ifdef QT_GUI_LIB // the program uses Qt GUI; QAsyncio itself does not need it
#  include <QtGui/qguiapplication.h>
#  include <QtGui/qwindow.h>
#endif

namespace QAsyncio {

namespace detail {

/// `windows_ready` tells whether the window system has put every window on the screen. Null if
/// there are no windows.
QASYNCIO_EXPORT Coroutine<> process_qt_events(bool (*windows_ready)());

#ifdef QT_GUI_LIB
inline bool windows_are_exposed()
{
    for (const QWindow *window : QGuiApplication::topLevelWindows()) {
        if (window->isVisible() && !window->isExposed()
            && !(window->windowStates() & Qt::WindowMinimized))
            return false;
    }
    return true;
}
#endif

} // namespace detail

// Different names for the linker, since a program may have parts with and parts without Qt GUI.
#ifdef QT_GUI_LIB
inline namespace with_gui {
#else
inline namespace without_gui {
#endif

/// `co_await process_qt_events()` lets Qt handle the input there is and paint what is pending, and
/// then goes on. It takes the place of QCoreApplication::processEvents(), but opens no event loop
/// inside another one:
///
///     label->setText(u"Working..."_s);
///     co_await process_qt_events(); // now the text is on the screen
///     work_for_two_seconds();
///
/// sleep(0s) is no substitute: it lets other tasks run, and several turns of the loop may pass
/// before Qt gets control. This function takes some 10 ms, however busy the other tasks are.
///
/// What has happened when it goes on in the application's thread: events that were posted before
/// the call have been delivered, whatever their priority; the window system's queue has been read;
/// what QWidget::update() and QWindow::requestUpdate() had asked for has been painted; windows that
/// were shown before the call are on the screen, unless the window system takes longer than a
/// quarter of a second to put them there (a window may be covered). What Qt Quick paints in its
/// render thread has been handed over to that thread. In another thread, and in a program without
/// Qt GUI: events that were posted to this thread before the call have been delivered, and
/// descriptors and timers have been looked at.
/// Virtual time stands still meanwhile. It works in a nested event loop (of a modal dialog) too.
/// Cancellation: ends it at once.
/// Throws, at the await, RuntimeError if no loop runs in this thread. Thread: the loop's.
inline Coroutine<> process_qt_events()
{
#ifdef QT_GUI_LIB
    return detail::process_qt_events(detail::windows_are_exposed);
#else
    return detail::process_qt_events(nullptr);
#endif
}

} // namespace with_gui, without_gui

} // namespace QAsyncio
