// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qcoreevent.h>
#include <QtCore/qobject.h>

#include <atomic>
#include <cstddef>

namespace QAsyncio::detail {

class LoopPrivate;

/// The one object of a loop that Qt knows: it receives the wake-ups and runs the turns. Owned by
/// the loop.
class Bridge : public QObject
{
public:
    explicit Bridge(LoopPrivate &loop) : m_loop(loop) { }
    ~Bridge() override;

    /// Posts a wake-up. From any thread.
    static void ring(QObject *bridge);
    /// Posts a request to move the clock on, which comes after everything that is due in the same
    /// pass.
    void post_advance();
    void remove_posted();

protected:
    bool event(QEvent *event) override;

private:
    /// An event of this type for postEvent(): from the heap or, without memory, in one of m_spares.
    /// Null if all of those are on their way: then one of them will do.
    QEvent *make_event(QEvent::Type type) noexcept;
    static void post(Bridge *bridge, QEvent *event, int priority);
    class Spare;

    /// After this, all that was written before a ring() is seen. Qt's lock does the same, but
    /// thread sanitizers do not see it.
    void take_over() const { static_cast<void>(m_rung.load(std::memory_order_acquire)); }

    LoopPrivate &m_loop;
    std::atomic<quint32> m_rung{0};
    // The places of Spare events; Qt frees one by deleting the event.
    static constexpr int spares = 4;
    struct Place
    {
        std::atomic<bool> taken{false};
        alignas(QEvent) std::byte memory[sizeof(QEvent) + 2 * sizeof(void *)];
    };
    Place m_spares[spares];
};

} // namespace QAsyncio::detail
