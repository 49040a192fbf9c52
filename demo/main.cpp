// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
// The demo: SHA-256 of every file below a directory, in a window that never stalls. See
// docs/demo.md.
#include "demo_window.h"
#include "options.h"
#include "smoke.h"

#include <qasyncio.h>

#include <QtCore/qdir.h>
#include <QtGui/qguiapplication.h>

#include <cstdio>

using namespace Demo;
using namespace QAsyncio;

namespace {

/// Says on the terminal what the window says, for those who have no window.
void report(Hasher &hasher)
{
    hasher.problems()->flush();
    QString line = hasher.countText();
    if (!hasher.rateText().isEmpty())
        line += QStringLiteral(", %1").arg(hasher.rateText());
    line += QStringLiteral("; not hashed: %1").arg(hasher.problems()->count());
    if (hasher.phase() == Hasher::Finished)
        line += QStringLiteral("\n%1").arg(hasher.checksumFile());
    std::puts(qPrintable(line));
    std::fflush(stdout);
}

Coroutine<int> start(Options options)
{
    if (options.smoke)
        co_return co_await smoke(std::move(options));
    QString file = options.output;
    if (file.isEmpty())
        file = default_checksum_file(options.directory);
    DemoWindow window(options.directory, file);
    Hasher &hasher = window.hasher();
    QObject::connect(&hasher, &Hasher::saved, &hasher, [&hasher] { report(hasher); });
    QObject::connect(&hasher, &Hasher::failed, &hasher, [&hasher] { report(hasher); });
    hasher.restart();
    co_await get_running_loop().quit_requested(); // the window was closed, or Ctrl+C
    co_await hasher.close();
    co_return 0;
}

void choose_platform(bool smoke)
{
    const bool has_display = qEnvironmentVariableIsSet("DISPLAY")
        || qEnvironmentVariableIsSet("WAYLAND_DISPLAY");
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM") && (smoke || !has_display)) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
        if (!smoke)
            std::puts("There is no display: the window is drawn off the screen. Ctrl+C ends the "
                      "program.");
        std::fflush(stdout);
    }
    // Without a graphics card, Qt's own renderer is far quicker than OpenGL done by the processor.
    const bool has_card = !QDir(QStringLiteral("/dev/dri")).isEmpty(QDir::System | QDir::Files);
    if (!qEnvironmentVariableIsSet("QT_QUICK_BACKEND")
        && (!has_card || qgetenv("QT_QPA_PLATFORM") == "offscreen"))
        qputenv("QT_QUICK_BACKEND", "software");
}

} // namespace

int main(int argc, char **argv)
{
    const Options options = read_options(argc, argv);
    if (options.help || !options.error.isEmpty()) {
        std::fputs(qPrintable(options.help ? usage() : options.error + u'\n' + usage()), stdout);
        return options.help ? 0 : 2;
    }
    choose_platform(options.smoke);
    QGuiApplication app(argc, argv);
    app.setApplicationName(QStringLiteral("qasyncio-demo"));
    app.setApplicationDisplayName(QStringLiteral("QAsyncio demo"));
    return run(app, start(options));
}
