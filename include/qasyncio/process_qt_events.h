// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"

#ifdef QT_GUI_LIB // of the program; QAsyncio itself does not need Qt GUI
#  include <QtGui/qguiapplication.h>
#  include <QtGui/qwindow.h>
#endif

namespace QAsyncio {

namespace detail {

/// `windows_ready` says whether the window system has given every window its place on the screen; null: there are none.
QASYNCIO_EXPORT Coroutine<> process_qt_events(bool (*windows_ready)());

#ifdef QT_GUI_LIB
inline bool windows_are_exposed()
{
    for (const QWindow *window : QGuiApplication::topLevelWindows()) {
        if (window->isVisible() && !window->isExposed() && !(window->windowStates() & Qt::WindowMinimized))
            return false;
    }
    return true;
}
#endif

} // namespace detail

// Two functions of two names to the linker: a program may have parts with and without Qt GUI.
#ifdef QT_GUI_LIB
inline namespace with_gui {
#else
inline namespace without_gui {
#endif

/// `co_await process_qt_events()`: lets Qt take what input there is and paint what is pending, then goes on. What
/// QCoreApplication::processEvents() is called for, but without an event loop inside of another:
///
///     label->setText(u"Working..."_s);
///     co_await process_qt_events(); // now it can be read
///     work_for_two_seconds();
///
/// sleep(0s) promises no such thing: it lets the other tasks run, and several turns of the loop may pass before Qt gets
/// control. This takes some 10 ms, however busy the other tasks are.
///
/// When it goes on, in the application's thread: events that were posted before it are delivered, whatever their priority; the
/// window system's queue was read; QWidget::update() and QWindow::requestUpdate() have painted; windows that were shown before
/// are on the screen, unless the window system does not put them there within a quarter of a second (it may be covered).
/// What Qt Quick paints in its render thread was handed to that thread. In another thread, and in a program without Qt GUI:
/// events that were posted to this thread before it are delivered, descriptors and timers were looked at.
/// Virtual time stands still meanwhile. A nested event loop (a modal dialog) does as well as the run's own.
/// Cancellation: ends it at once. Throws, at the await: RuntimeError if no loop runs in this thread. Thread: the loop's.
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
