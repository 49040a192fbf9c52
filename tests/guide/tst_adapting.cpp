// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "adapting.cpp" // the listings of docs/guide/adapting.md

#include <qasyncio/test.h>

#include <QtCore/qhash.h>
#include <QtCore/qmutex.h>
#include <QtGui/qimage.h>

#include <cstring>

namespace lookup {

/// The C library: answers ten milliseconds later, each host with the length of its name.
struct Pending
{
    LookupDone done;
    void *user;
    int address;
};
QHash<int, Pending> pending;

int lookup_start(const char *host, LookupDone done, void *user)
{
    static int last = 0;
    const int id = ++last;
    pending.insert(id, {done, user, static_cast<int>(std::strlen(host))});
    get_running_loop().call_later(10ms, [id] {
        if (const Pending found = pending.take(id); found.done)
            found.done(found.user, found.address);
    });
    return id;
}

void lookup_cancel(int id)
{
    QVERIFY(pending.remove(id));
}

} // namespace lookup

namespace blocking {

QByteArray Device::read()
{
    const QMutexLocker locker(&m_mutex);
    while (m_data.isEmpty() && !m_interrupted)
        m_changed.wait(&m_mutex);
    return std::exchange(m_data, {});
}

void Device::interrupt()
{
    const QMutexLocker locker(&m_mutex);
    m_interrupted = true;
    m_changed.wakeAll();
}

} // namespace blocking

/// Whether it throws that. What else it throws, a cancellation above all, goes on.
template<class Error, class T>
Coroutine<bool> throws(Coroutine<T> coroutine)
{
    try {
        static_cast<void>(co_await std::move(coroutine));
    } catch (const Error &) {
        co_return true;
    }
    co_return false;
}

/// What docs/guide/adapting.md makes awaitable does what the page says of it, and ends whenever it
/// has to.
class tst_adapting : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aFunctionThatCallsBack()
    {
        Test::run([]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await lookup::Lookup("qt.io"), 5);
            QASYNCIO_THROWS(co_await wait_for(lookup::Lookup("qt.io"), 1ms), TimeoutError);
            auto task = create_task(lookup::Lookup("qt.io"));
            co_await sleep(0s);
            QASYNCIO_VERIFY(task.to_string().contains("<lookup of qt.io>"));
            task.cancel();
            QASYNCIO_THROWS(co_await task, CancelledError);
        });
        QVERIFY(lookup::pending.isEmpty());
        Test::tear_down([]() -> Coroutine<> {
            co_await lookup::connect_to("qt.io");
            const auto [a, b] = co_await gather(lookup::Lookup("a"), lookup::Lookup("bb"));
            QASYNCIO_COMPARE(a + b, 3);
        });
        QVERIFY(lookup::pending.isEmpty());
    }

    void aClassWithAListener()
    {
        const auto body = [](QAsyncioLoop &loop) -> Coroutine<> {
            const auto scanner = std::make_shared<scanning::Scanner>();
            const auto tells = [&loop, scanner](std::chrono::milliseconds when, int width) {
                loop.call_later(when, [scanner, width] {
                    if (!scanner->m_listener)
                        return;
                    if (width > 0)
                        scanner->m_listener->page_scanned(QImage(width, 1, QImage::Format_RGB32));
                    else
                        scanner->m_listener->scanner_failed(QStringLiteral("no paper"));
                });
            };
            scanning::Pages pages(*scanner);
            tells(1ms, 10);
            tells(1ms, 20); // while nobody waits
            tells(2ms, 30);
            tells(3ms, 0);
            for (const int width : {10, 20, 30})
                QASYNCIO_COMPARE((co_await pages.next()).width(), width);
            QASYNCIO_VERIFY(co_await throws<OSError>(pages.next()));
        };
        Test::run(body);
        Test::tear_down(body);
    }

    void aCallThatBlocks()
    {
        const auto body = []() -> Coroutine<> {
            const auto device = std::make_shared<blocking::Device>();
            device->m_data = "first";
            QASYNCIO_COMPARE(co_await blocking::read(device), QByteArray("first"));
            device->m_interrupted = false;
            QASYNCIO_VERIFY(co_await throws<TimeoutError>(wait_for(blocking::read(device), 0s)));
        };
        Test::run(body);
        Test::tear_down(body);
    }

    void aCallThatBlocksIsInterrupted()
    {
        const auto device = std::make_shared<blocking::Device>();
        Test::run(
            [device]() -> Coroutine<> {
                QASYNCIO_THROWS(co_await wait_for(blocking::read(device), 10ms), TimeoutError);
            },
            Test::TestOptions().real_time());
        QVERIFY(device->m_interrupted);
        QTRY_COMPARE(device.use_count(), 1L); // the thread has returned
    }
};

QTEST_GUILESS_MAIN(tst_adapting)
#include "tst_adapting.moc"
