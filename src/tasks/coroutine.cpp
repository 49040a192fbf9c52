// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/coroutine.h"

#include "base/logging.h"
#include "tasks/deep_release.h"

namespace QAsyncio::detail {

void throw_awaited_twice()
{
    throw RuntimeError(QStringLiteral("cannot reuse already awaited coroutine"));
}

namespace {
/// Inside of a coroutine g++ says "void load(load(int)::_Z4loadi.Frame*)": leaves "void load()".
void remove_frame(QString &signature)
{
    if (!signature.endsWith(QLatin1String(".Frame*)")))
        return;
    qsizetype at = signature.size();
    for (int depth = 0; at > 0;) {
        const QChar c = signature[--at];
        if (c == u')')
            ++depth;
        else if (c == u'(' && --depth == 0)
            break;
    }
    signature.truncate(at);
    signature += QStringLiteral("()");
}

/// "load" of "Coroutine<int> load(int)": what stands before the first parenthesis outside <...>,
/// from the last space on.
QString function_name_of(const QString &signature)
{
    qsizetype begin = 0;
    qsizetype depth = 0;
    for (qsizetype i = 0; i < signature.size(); ++i) {
        const QChar c = signature[i];
        if (c == u'<')
            ++depth;
        else if (c == u'>')
            --depth;
        else if (c == u' ' && depth == 0)
            begin = i + 1;
        else if (c == u'(' && depth == 0)
            return signature.mid(begin, i - begin);
    }
    return signature.mid(begin);
}
} // namespace

/// "load" of "Coroutine<int> load(int)", "Window::load" of "... Window::load()". The compilers
/// write lambdas differently.
QString function_name(const std::source_location &site)
{
    QString text = QString::fromUtf8(site.function_name());
    for (const QLatin1String anonymous :
         {QLatin1String("(anonymous namespace)::"), QLatin1String("{anonymous}::")})
        text.replace(anonymous, QString());
    remove_frame(text);
    const auto template_list = text.indexOf(QLatin1String(" [with "));
    if (template_list >= 0)
        text.truncate(template_list);
    for (const QLatin1String lambda :
         {QLatin1String("::<lambda("), QLatin1String("::(anonymous class)::"),
          QLatin1String("::(lambda")}) {
        const auto at = text.indexOf(lambda);
        if (at >= 0)
            return function_name_of(text.left(at)) + QLatin1String("::<lambda>");
    }
    return function_name_of(text);
}

QString describe_site(const char *kind, const std::source_location *site)
{
    if (!site)
        return QStringLiteral("<%1>").arg(QLatin1String(kind));
    return QStringLiteral("<%1 %2() at %3:%4>")
        .arg(QLatin1String(kind), function_name(*site), QString::fromUtf8(site->file_name()))
        .arg(site->line());
}

namespace {
/// Coroutine frames, for release_deep().
struct FrameKind
{
    // Nobody awaits such a frame, so its `link` is free.
    static void link(PromiseBase &promise, PromiseBase *next)
    {
        promise.link = reinterpret_cast<FrameLink *>(next);
    }
    static PromiseBase *unlink(PromiseBase &promise)
    {
        return reinterpret_cast<PromiseBase *>(std::exchange(promise.link, nullptr));
    }
    static void destroy(PromiseBase &promise) noexcept { frame_of(promise).destroy(); }
};
} // namespace

void destroy_frame(PromiseBase &promise) noexcept
{
    release_deep<FrameKind>(promise, thread_data().dying_frames);
}

void report_never_awaited(const std::source_location &site) noexcept
{
    if (thread_data().unwinding > 0)
        return;
    qCWarning(logCategory).noquote()
        << QStringLiteral("coroutine '%1' was never awaited (%2:%3): co_await it, or give "
                          "it to create_task(); connect() wants a slot or lambda that does so")
               .arg(function_name(site), QString::fromUtf8(site.file_name()))
               .arg(site.line());
}

} // namespace QAsyncio::detail
