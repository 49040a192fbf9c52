// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "hasher.h"

#include "directory_watch.h"
#include "file_name.h"

#include <qasyncio.h>

#include <QtCore/qfile.h>
#include <QtCore/qfileinfo.h>
#include <QtCore/qmetaobject.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qthread.h>

namespace Demo {

using namespace QAsyncio;
using namespace std::chrono_literals;

namespace {

constexpr auto refresh_interval = 33ms;
constexpr qint64 rate_window = 1000; // milliseconds

/// More than there are processors, so that nobody waits for a disk.
int worker_count()
{
    return qBound(4, QThread::idealThreadCount(), 6);
}

/// What a person wants to read of an exception.
QString reason_of(const std::exception_ptr &exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (const OSError &error) {
        return QString::fromStdString(error.code().message());
    } catch (const QAsyncio::Error &error) {
        return error.message();
    } catch (...) {
        return describe(exception);
    }
}

QString count_of_files(qint64 number)
{
    return number == 1 ? QStringLiteral("1 file")
                       : QStringLiteral("%1 files").arg(display_number(number));
}

/// The path without the directory, if it lies below it; else nothing.
QByteArray relative_to(const QByteArray &directory, const QString &file)
{
    const QByteArray path = QFile::encodeName(QFileInfo(file).absoluteFilePath());
    const QByteArray root = QFile::encodeName(
                                QFileInfo(QFile::decodeName(directory)).absoluteFilePath())
        + '/';
    return path.startsWith(root) ? path.mid(root.size()) : QByteArray();
}

} // namespace

Hasher::Hasher(const QByteArray &directory, const QString &checksum_file, QObject *parent)
    : QObject(parent), m_directory(directory), m_checksum_file(checksum_file),
      m_own_path(relative_to(directory, checksum_file)), m_workers(worker_count())
{ }

Hasher::~Hasher() = default;

// --- the buttons

void Hasher::start()
{
    m_server = create_task(serve(), TaskOptions().name(QStringLiteral("serve")).context(this));
}

Coroutine<> Hasher::close()
{
    m_server.cancel();
    co_await gather(return_exceptions, m_server);
}

void Hasher::restart()
{
    m_restart = true;
    if (m_run && m_run.cancel())
        set_phase(Cancelling);
    if (m_wanted && !m_wanted.done())
        m_wanted.set_result();
}

void Hasher::cancel()
{
    if (!canCancel())
        return;
    set_phase(Cancelling);
    m_run.cancel();
}

void Hasher::togglePause()
{
    if (canPause())
        set_paused(!m_paused);
}

void Hasher::set_paused(bool paused)
{
    if (paused == m_paused)
        return;
    count_time();
    m_paused = paused;
    if (paused) {
        m_resumed = get_running_loop().create_future<>();
        for (const auto &file : m_workers.files()) {
            if (file)
                file->interrupt();
        }
    } else if (!m_resumed.done()) { // a cancelled waiter has cancelled it
        m_resumed.set_result();
    }
    Q_EMIT stateChanged();
    publish();
}

Coroutine<> Hasher::unpaused()
{
    while (m_paused)
        co_await m_resumed;
}

// --- one run after the other, never two

Coroutine<> Hasher::serve()
{
    for (;;) {
        if (!m_restart) {
            m_wanted = get_running_loop().create_future<>();
            co_await m_wanted;
        }
        m_restart = false;
        ++m_runs;
        m_run = create_task(run(), TaskOptions().name(QStringLiteral("run")).context(this));
        const auto outcome = co_await gather(return_exceptions, m_run);
        end_run(std::get<0>(outcome).exception());
    }
}

Coroutine<> Hasher::run()
{
    reset_run();
    auto ticking = create_task(tick(), TaskOptions().name(QStringLiteral("tick")).context(this));
    const auto stop_ticking = qScopeGuard([&ticking] { ticking.cancel(); });
    DirectoryWatch watch;
    if (watch.inotify()->error() != 0)
        note(QStringLiteral("Changes cannot be watched: %1")
                 .arg(qt_error_string(watch.inotify()->error())),
             LogModel::Error);

    std::vector<QByteArray> directories(1); // the directory itself has an empty path
    co_await walk(watch, std::move(directories));
    co_await hash_queue();
    co_await save();
    co_await follow(watch);
}

void Hasher::reset_run()
{
    m_log.clear();
    m_problems.clear();
    m_queue.clear();
    m_digests = std::make_shared<Digests>();
    m_following = false;
    m_dirty = true;
    m_links = 0;
    m_watched = 0;
    m_watch_failed = false;
    begin_pass();
}

void Hasher::begin_pass()
{
    m_pass = {};
    m_samples.clear();
    m_since_tick.start();
    set_phase(Walking);
}

void Hasher::end_run(const std::exception_ptr &exception)
{
    set_paused(false);
    try {
        if (exception) // a run ends by cancellation or by an error, never by itself
            std::rethrow_exception(exception);
    } catch (const CancelledError &) {
        note(QStringLiteral("Cancelled. The checksum file was left as it was."));
        set_phase(Cancelled);
    } catch (...) {
        m_summary = reason_of(exception);
        note(m_summary, LogModel::Error);
        set_phase(Failed);
        Q_EMIT failed();
    }
    publish();
}

// Thirty times a second is enough for the eye.
Coroutine<> Hasher::tick()
{
    for (;;) {
        co_await sleep(refresh_interval);
        count_time();
        if (!is_busy() || m_paused)
            continue;
        sample_rate();
        publish();
    }
}

// Pauses do not count.
void Hasher::count_time()
{
    const qint64 elapsed = m_since_tick.restart();
    if (is_busy() && !m_paused)
        m_pass.milliseconds += elapsed;
}

// --- finding the files

Coroutine<> Hasher::walk(DirectoryWatch &watch, std::vector<QByteArray> directories)
{
    while (!directories.empty()) {
        const QByteArray directory = std::move(directories.back());
        directories.pop_back();
        co_await unpaused();
        co_await list(watch, directory, directories);
    }
}

Coroutine<> Hasher::list(DirectoryWatch &watch, QByteArray directory,
                         std::vector<QByteArray> &directories)
{
    Q_EMIT directoryBegins(directory);
    try {
        Listing listing = co_await to_thread(list_directory, m_directory, directory,
                                             watch.inotify());
        register_watch(watch, directory, listing);
        take(listing, directories);
    } catch (const std::exception &) {
        const QString reason = reason_of(std::current_exception());
        if (directory.isEmpty())
            throw RuntimeError(QStringLiteral("%1: %2").arg(display_name(m_directory), reason));
        add_problem(NotHashed{directory, reason, true});
    }
}

void Hasher::register_watch(DirectoryWatch &watch, const QByteArray &directory,
                            const Listing &listing)
{
    if (listing.watch >= 0)
        watch.register_watch(listing.watch, directory);
    else if (watch.inotify()->error() == 0 && !std::exchange(m_watch_failed, true))
        note(QStringLiteral("Not every directory can be watched: %1 (fs.inotify.max_user_watches)")
                 .arg(qt_error_string(listing.watch_error)),
             LogModel::Error);
    m_watched = watch.count();
}

void Hasher::take(Listing &listing, std::vector<QByteArray> &directories)
{
    for (FoundFile &file : listing.files) {
        if (is_own(file.path))
            continue;
        ++m_pass.files;
        m_pass.bytes += file.size;
        m_queue.push_back(std::move(file));
    }
    std::move(listing.directories.begin(), listing.directories.end(),
              std::back_inserter(directories));
    for (const NotHashed &problem : listing.not_hashed)
        add_problem(problem);
    m_links += listing.links;
}

// The checksum file itself, and what QSaveFile calls it while it is being written, would change
// with every change.
bool Hasher::is_own(const QByteArray &path) const
{
    return !m_own_path.isEmpty() && (path == m_own_path || path.startsWith(m_own_path + '.'));
}

// --- hashing

Coroutine<> Hasher::hash_queue()
{
    set_phase(Hashing);
    std::vector<Task<>> tasks;
    for (int number = 0; number < m_workers.workers(); ++number) {
        const QString name = QStringLiteral("worker %1").arg(number + 1);
        tasks.push_back(create_task(worker(number), TaskOptions().name(name).context(this)));
    }
    // With return_exceptions it waits for all of them, however they end: no worker outlives the
    // run.
    const auto outcomes = co_await gather(return_exceptions, tasks);
    for (const auto &outcome : outcomes)
        outcome.value();
}

Coroutine<> Hasher::worker(int number)
{
    while (!m_queue.empty()) {
        FoundFile found = std::move(m_queue.front());
        m_queue.pop_front();
        co_await hash(number, std::move(found));
    }
}

Coroutine<> Hasher::hash(int number, FoundFile found)
{
    co_await unpaused();
    Q_EMIT fileBegins(found.path);
    const auto file = std::make_shared<FileHash>(m_directory, found.path, found.size);
    m_workers.set_file(number, file);
    // If this object dies, the frame goes with it, and nothing of the object is left for a guard to
    // touch.
    const auto stop_thread = qScopeGuard([&file] { file->interrupt(); });
    try {
        co_await advance_to_end(file);
        store(found.path, file->digest());
    } catch (const CancelledError &) {
        release(number, *file);
        throw;
    } catch (const std::exception &) {
        forget(found.path);
        add_problem(NotHashed{found.path, reason_of(std::current_exception()), true});
    }
    release(number, *file);
    ++m_pass.files_done;
    // it failed or has shrunk
    m_pass.bytes_done += qMax(file->size() - file->bytes_done(), qint64(0));
}

void Hasher::release(int worker, const FileHash &file)
{
    m_workers.set_file(worker, nullptr);
    m_pass.bytes_hashed += file.bytes_done();
    m_pass.bytes_done += qMin(file.bytes_done(), file.size());
}

Coroutine<> Hasher::advance_to_end(std::shared_ptr<FileHash> file)
{
    for (bool at_end = false; !at_end;) {
        co_await unpaused();
        file->resume();
        at_end = co_await to_thread(&FileHash::advance, file);
    }
}

void Hasher::store(const QByteArray &path, const QByteArray &digest)
{
    const auto [entry, is_new] = m_digests->try_emplace(path, digest);
    if (!is_new && entry->second == digest)
        return;
    LogModel::Kind kind = LogModel::Hashed;
    if (m_following)
        kind = is_new ? LogModel::Added : LogModel::Changed;
    entry->second = digest;
    m_dirty = true;
    m_log.append({kind, display_name(path), QString::fromLatin1(digest)});
}

Coroutine<> Hasher::save()
{
    co_await unpaused();
    set_phase(Saving);
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    const auto on_cancel = qScopeGuard([&cancelled] { *cancelled = true; });
    co_await to_thread(write_checksum_file, m_checksum_file, m_digests, cancelled);
    m_dirty = false;
    end_pass();
    Q_EMIT saved();
}

// --- what changes afterwards

Coroutine<> Hasher::follow(DirectoryWatch &watch)
{
    m_following = true;
    for (;;) {
        Changes changes = co_await watch.changes();
        if (changes.root_gone)
            throw RuntimeError(
                QStringLiteral("%1 was deleted or moved away").arg(display_name(m_directory)));
        co_await update(watch, std::move(changes));
        if (m_dirty)
            co_await save();
        else
            end_pass();
    }
}

Coroutine<> Hasher::update(DirectoryWatch &watch, Changes changes)
{
    begin_pass();
    std::vector<QByteArray> directories;
    if (changes.overflow) {
        note(QStringLiteral("Too much has changed at once: all files are hashed again."));
        m_digests = std::make_shared<Digests>();
        m_dirty = true;
        directories.emplace_back();
    } else {
        const std::vector<QByteArray> paths(changes.paths.begin(), changes.paths.end());
        Listing listing = co_await to_thread(examine, m_directory, paths);
        for (const QByteArray &path : listing.gone)
            forget(path);
        for (const QByteArray &path : listing.directories)
            forget(path);
        for (const FoundFile &file : listing.files)
            forget_below(file.path);
        take(listing, directories);
    }
    co_await walk(watch, std::move(directories));
    co_await hash_queue();
}

void Hasher::forget(const QByteArray &path)
{
    if (m_digests->erase(path) > 0) {
        m_dirty = true;
        m_log.append({LogModel::Removed, display_name(path), {}});
    }
    forget_below(path);
}

void Hasher::forget_below(const QByteArray &path)
{
    const QByteArray prefix = path + '/';
    auto entry = m_digests->lower_bound(prefix);
    while (entry != m_digests->end() && entry->first.startsWith(prefix)) {
        m_log.append({LogModel::Removed, display_name(entry->first), {}});
        entry = m_digests->erase(entry);
        m_dirty = true;
    }
}

// --- what the window shows

void Hasher::add_problem(const NotHashed &problem)
{
    const LogModel::Row row{problem.is_error ? LogModel::Error : LogModel::Skipped,
                            display_name(problem.path), problem.reason};
    m_log.append(row);
    m_problems.append(row);
}

void Hasher::note(const QString &text, LogModel::Kind kind)
{
    m_log.append({kind, {}, text});
    if (kind == LogModel::Error)
        m_problems.append({kind, {}, text});
}

void Hasher::set_phase(Phase phase)
{
    if (phase == m_phase)
        return;
    m_phase = phase;
    Q_EMIT stateChanged();
}

void Hasher::publish()
{
    m_workers.refresh();
    Q_EMIT progressChanged();
}

qint64 Hasher::bytes_hashed() const
{
    qint64 bytes = m_pass.bytes_hashed;
    for (const auto &file : m_workers.files())
        bytes += file ? file->bytes_done() : 0;
    return bytes;
}

void Hasher::sample_rate()
{
    m_samples.push_back({m_pass.milliseconds, bytes_hashed()});
    while (m_pass.milliseconds - m_samples.front().milliseconds > rate_window)
        m_samples.pop_front();
}

QString Hasher::directory() const
{
    return display_name(m_directory);
}

QString Hasher::phaseName() const
{
    return m_paused ? QStringLiteral("Paused")
                    : QString::fromLatin1(QMetaEnum::fromType<Phase>().valueToKey(m_phase));
}

QString Hasher::statusText() const
{
    switch (m_phase) {
    case Idle:
        return QStringLiteral("Idle");
    case Walking:
        return m_paused ? QStringLiteral("Paused") : QStringLiteral("Looking for files");
    case Hashing:
        return m_paused ? QStringLiteral("Paused") : QStringLiteral("Hashing");
    case Saving:
        return QStringLiteral("Saving");
    case Finished:
        return m_watched > 0 ? QStringLiteral("Finished, watching for changes")
                             : QStringLiteral("Finished");
    case Cancelling:
        return QStringLiteral("Cancelling");
    case Cancelled:
        return QStringLiteral("Cancelled");
    case Failed:
        return QStringLiteral("Failed");
    }
    return {};
}

QString Hasher::fileText() const
{
    switch (m_phase) {
    case Finished:
        return QStringLiteral("%1 checksums are in").arg(display_number(qint64(m_digests->size())));
    case Cancelled:
    case Failed:
        return QStringLiteral("Not written, left as it was:");
    default:
        return QStringLiteral("Will be written to");
    }
}

qreal Hasher::progress() const
{
    if (m_phase == Finished)
        return 1;
    if (m_phase == Walking)
        return -1;
    if (m_pass.bytes == 0)
        return m_pass.files == 0 ? 0 : qreal(m_pass.files_done) / m_pass.files;
    qint64 bytes = m_pass.bytes_done;
    for (const auto &file : m_workers.files())
        bytes += file ? qMin(file->bytes_done(), file->size()) : 0;
    return qMin(1.0, qreal(bytes) / qreal(m_pass.bytes));
}

// What the window shows until the next change.
void Hasher::end_pass()
{
    count_time();
    if (!m_following) {
        const double seconds = double(m_pass.milliseconds) / 1000;
        m_summary = QStringLiteral("%1, %2, in %3 s")
                        .arg(count_of_files(m_pass.files_done), display_size(m_pass.bytes_hashed))
                        .arg(seconds, 0, 'f', 1);
        m_rate.clear();
        if (m_pass.milliseconds >= 100) // of less it means nothing
            m_rate = display_size(qint64(double(m_pass.bytes_hashed) / seconds))
                + QStringLiteral("/s");
    } else if (m_pass.files > 0) {
        m_summary = QStringLiteral("Last change: %1, %2")
                        .arg(count_of_files(m_pass.files_done), display_size(m_pass.bytes_hashed));
        m_rate.clear();
    }
    set_phase(Finished);
    publish();
}

QString Hasher::countText() const
{
    if (m_phase == Idle)
        return {};
    if (m_phase == Finished || m_phase == Failed)
        return m_summary;
    if (m_phase == Walking)
        return QStringLiteral("%1 found").arg(count_of_files(m_pass.files));
    return QStringLiteral("%1 of %2, %3 of %4")
        .arg(display_number(m_pass.files_done), count_of_files(m_pass.files),
             display_size(bytes_hashed()), display_size(m_pass.bytes));
}

QString Hasher::rateText() const
{
    if (m_phase == Finished)
        return m_rate;
    if (m_phase != Hashing || m_paused || m_samples.size() < 2)
        return {};
    const qint64 milliseconds = m_samples.back().milliseconds - m_samples.front().milliseconds;
    const qint64 bytes = m_samples.back().bytes - m_samples.front().bytes;
    return display_size(bytes * 1000 / qMax(milliseconds, qint64(1))) + QStringLiteral("/s");
}

} // namespace Demo
