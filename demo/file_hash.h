// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qbytearray.h>
#include <QtCore/qcryptographichash.h>

#include <atomic>

namespace Demo {

/// One file on its way through SHA-256. Shared by the window's thread, which steers and looks on,
/// and the worker thread that is in advance() at the time.
class FileHash
{
public:
    /// `root` + `path` is what is opened; `path` is what people see.
    FileHash(const QByteArray &root, const QByteArray &path, qint64 size);
    ~FileHash();
    Q_DISABLE_COPY_MOVE(FileHash)

    const QByteArray &path() const { return m_path; }
    /// As it was when the directory was listed; the file may have grown since.
    qint64 size() const { return m_size; }

    /// Hashes on, in blocks, until the end of the file (true) or until interrupt() (false). Throws
    /// OSError.
    bool advance();
    /// advance() returns at the end of the block it is at; any thread.
    void interrupt() { m_interrupted.store(true, std::memory_order_relaxed); }
    /// advance() may be called again.
    void resume() { m_interrupted.store(false, std::memory_order_relaxed); }

    qint64 bytes_done() const { return m_done.load(std::memory_order_relaxed); }
    /// 64 hexadecimal digits, once advance() has given true.
    const QByteArray &digest() const { return m_digest; }

private:
    void open();

    const QByteArray m_root;
    const QByteArray m_path;
    const qint64 m_size;
    std::atomic<bool> m_interrupted{false};
    std::atomic<qint64> m_done{0};

    int m_fd = -1;
    QByteArray m_block;
    QCryptographicHash m_hash{QCryptographicHash::Sha256};
    QByteArray m_digest;
};

} // namespace Demo
