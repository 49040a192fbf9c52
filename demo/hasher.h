// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "checksum_file.h"
#include "file_walker.h"
#include "log_model.h"
#include "worker_model.h"

#include <qasyncio/coroutine.h>
#include <qasyncio/task.h>

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qobject.h>

#include <deque>

namespace Demo {

class DirectoryWatch;
struct Changes;

/// The SHA-256 of every file below a directory, and then of those that change.
///
/// Everything but the work of the threads happens in the loop's thread, in tasks that end with this
/// object: serve() waits for restart(), run() is one run, worker() takes files from the queue until
/// it is empty.
class Hasher : public QObject
{
    Q_OBJECT
    Q_PROPERTY(QString directory READ directory CONSTANT)
    Q_PROPERTY(QString checksumFile READ checksumFile CONSTANT)
    Q_PROPERTY(QString phase READ phaseName NOTIFY stateChanged)
    Q_PROPERTY(QString statusText READ statusText NOTIFY stateChanged)
    Q_PROPERTY(QString fileText READ fileText NOTIFY stateChanged)
    Q_PROPERTY(bool paused READ paused NOTIFY stateChanged)
    Q_PROPERTY(bool canPause READ canPause NOTIFY stateChanged)
    Q_PROPERTY(bool canCancel READ canCancel NOTIFY stateChanged)
    Q_PROPERTY(bool canRestart READ canRestart NOTIFY stateChanged)
    Q_PROPERTY(qreal progress READ progress NOTIFY progressChanged)
    Q_PROPERTY(QString countText READ countText NOTIFY progressChanged)
    Q_PROPERTY(QString rateText READ rateText NOTIFY progressChanged)
    Q_PROPERTY(Demo::LogModel *log READ log CONSTANT)
    Q_PROPERTY(Demo::LogModel *problems READ problems CONSTANT)
    Q_PROPERTY(Demo::WorkerModel *workers READ workers CONSTANT)

public:
    enum Phase { Idle, Walking, Hashing, Saving, Finished, Cancelling, Cancelled, Failed };
    Q_ENUM(Phase)

    /// `directory` is a path as the system has it: bytes.
    Hasher(const QByteArray &directory, const QString &checksum_file, QObject *parent = nullptr);
    ~Hasher() override;

    /// Needs a running loop. restart() begins the first run.
    void start();
    /// Ends everything; waits for the clean-up.
    QAsyncio::Coroutine<> close();

    Q_INVOKABLE void togglePause();
    Q_INVOKABLE void cancel();
    /// Also while a run is under way, which is then cancelled first.
    Q_INVOKABLE void restart();

    QString directory() const;
    QString checksumFile() const { return m_checksum_file; }
    Phase phase() const { return m_phase; }
    QString phaseName() const;
    QString statusText() const;
    QString fileText() const;
    bool paused() const { return m_paused; }
    bool canPause() const { return m_phase == Walking || m_phase == Hashing; }
    bool canCancel() const { return is_busy(); }
    bool canRestart() const { return m_phase != Idle; }
    /// 0 to 1; negative while nobody can know.
    qreal progress() const;
    QString countText() const;
    QString rateText() const;
    LogModel *log() { return &m_log; }
    LogModel *problems() { return &m_problems; }
    WorkerModel *workers() { return &m_workers; }

    /// What was found so far.
    const Digests &digests() const { return *m_digests; }
    qint64 bytes_hashed() const;
    int runs() const { return m_runs; }
    int links() const { return m_links; }

Q_SIGNALS:
    void stateChanged();
    void progressChanged();
    /// Emitted just before a directory is read and before a file is opened.
    void directoryBegins(const QByteArray &path);
    void fileBegins(const QByteArray &path);
    /// The checksum file has been written.
    void saved();
    /// The run has ended with an error: the directory cannot be read, the checksum file cannot be
    /// written.
    void failed();

private:
    /// A run, or what changed after it.
    struct Pass
    {
        int files = 0;
        int files_done = 0;
        qint64 bytes = 0; // sizes as they were when the directories were read
        qint64 bytes_done = 0;
        qint64 bytes_hashed = 0; // really
        qint64 milliseconds = 0; // without pauses
    };
    struct Sample
    {
        qint64 milliseconds;
        qint64 bytes;
    };

    QAsyncio::Coroutine<> serve();
    QAsyncio::Coroutine<> run();
    QAsyncio::Coroutine<> tick();
    // `watch` is a local of run(), `directories` of walk(): they wait for whom they lend it to.
    QAsyncio::Coroutine<> walk(DirectoryWatch &watch, std::vector<QByteArray> directories);
    QAsyncio::Coroutine<> list(DirectoryWatch &watch, QByteArray directory,
                               std::vector<QByteArray> &directories);
    QAsyncio::Coroutine<> hash_queue();
    QAsyncio::Coroutine<> worker(int number);
    QAsyncio::Coroutine<> hash(int number, FoundFile found);
    QAsyncio::Coroutine<> advance_to_end(std::shared_ptr<FileHash> file);
    QAsyncio::Coroutine<> save();
    QAsyncio::Coroutine<> follow(DirectoryWatch &watch);
    QAsyncio::Coroutine<> update(DirectoryWatch &watch, Changes changes);
    QAsyncio::Coroutine<> unpaused();

    void reset_run();
    void begin_pass();
    void end_run(const std::exception_ptr &exception);
    void take(Listing &listing, std::vector<QByteArray> &directories);
    void register_watch(DirectoryWatch &watch, const QByteArray &directory, const Listing &listing);
    bool is_own(const QByteArray &path) const;
    void forget(const QByteArray &path);
    void forget_below(const QByteArray &path);
    void release(int worker, const FileHash &file);
    void store(const QByteArray &path, const QByteArray &digest);
    void add_problem(const NotHashed &problem);
    void note(const QString &text, LogModel::Kind kind = LogModel::Note);
    void set_phase(Phase phase);
    void set_paused(bool paused);
    bool is_busy() const { return canPause() || m_phase == Saving; }
    void publish();
    void count_time();
    void sample_rate();
    void end_pass();

    const QByteArray m_directory;
    const QString m_checksum_file;
    const QByteArray m_own_path; // the checksum file's, if it lies below the directory
    LogModel m_log;
    LogModel m_problems;
    WorkerModel m_workers;

    Phase m_phase = Idle;
    bool m_paused = false;
    bool m_restart = false;
    bool m_following = false; // the first pass of the run is over: changes are added to it
    bool m_dirty = false;     // the digests are no longer those of the checksum file
    int m_runs = 0;
    int m_links = 0;
    int m_watched = 0;
    bool m_watch_failed = false;
    QAsyncio::Task<> m_server;
    QAsyncio::Task<> m_run;
    QAsyncio::Future<> m_wanted;  // ends when restart() was called
    QAsyncio::Future<> m_resumed; // ends with the pause

    std::deque<FoundFile> m_queue;
    std::shared_ptr<Digests> m_digests = std::make_shared<Digests>();
    Pass m_pass;
    QString m_summary;
    QString m_rate;
    QElapsedTimer m_since_tick;
    std::deque<Sample> m_samples;
};

} // namespace Demo
