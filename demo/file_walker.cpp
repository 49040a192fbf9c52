// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "file_walker.h"

#include <qasyncio/errors.h>

#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <functional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace Demo {

using namespace QAsyncio;

namespace {

struct DirCloser
{
    void operator()(DIR *directory) const { ::closedir(directory); }
};
using Dir = std::unique_ptr<DIR, DirCloser>;

QString error_text(int error)
{
    return QString::fromStdString(std::generic_category().message(error));
}

QByteArray real_path(const QByteArray &path)
{
    char *resolved = ::realpath(path.constData(), nullptr);
    const QByteArray result = resolved;
    std::free(resolved);
    return result;
}

QByteArray parent_of(const QByteArray &path)
{
    return path.left(std::max(path.lastIndexOf('/'), qsizetype(0)));
}

/// Whether the link leads to a directory that it lies in itself: whoever follows it walks in
/// circles.
bool leads_back(const QByteArray &root, const QByteArray &path)
{
    const QByteArray target = real_path(root + '/' + path);
    const QByteArray here = real_path(root + '/' + parent_of(path));
    return here == target || here.startsWith(target == "/" ? target : target + '/');
}

void add_link(Listing &listing, const QByteArray &root, const QByteArray &path)
{
    struct stat target = {};
    if (::stat((root + '/' + path).constData(), &target) != 0) {
        const QString reason = QStringLiteral("Symbolic link, not followed: %1")
                                   .arg(error_text(errno));
        listing.not_hashed.push_back({path, reason, true});
    } else if (S_ISDIR(target.st_mode) && leads_back(root, path)) {
        const QString reason = QStringLiteral("Symbolic link, not followed: it leads in a circle");
        listing.not_hashed.push_back({path, reason, true});
    } else {
        ++listing.links;
    }
}

QString special_kind(mode_t mode)
{
    if (S_ISFIFO(mode))
        return QStringLiteral("FIFO");
    if (S_ISSOCK(mode))
        return QStringLiteral("Socket");
    return QStringLiteral("Device");
}

void add_entry(Listing &listing, const QByteArray &root, const QByteArray &path,
               const struct stat &status)
{
    if (S_ISREG(status.st_mode)) {
        listing.files.push_back({path, status.st_size});
    } else if (S_ISDIR(status.st_mode)) {
        listing.directories.push_back(path);
    } else if (S_ISLNK(status.st_mode)) {
        add_link(listing, root, path);
    } else {
        const QString reason = QStringLiteral("%1, not opened").arg(special_kind(status.st_mode));
        listing.not_hashed.push_back({path, reason, false});
    }
}

// By name, so that every run takes the files in the same order. The directories are taken from the
// end.
void sort(Listing &listing)
{
    const auto by_path = [](const FoundFile &a, const FoundFile &b) { return a.path < b.path; };
    std::sort(listing.files.begin(), listing.files.end(), by_path);
    std::sort(listing.directories.begin(), listing.directories.end(), std::greater<>());
}

Dir open_directory(const QByteArray &name, bool follow)
{
    const int fd = ::open(name.constData(),
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0)
        throw OSError(errno, QStringLiteral("open"));
    Dir directory(::fdopendir(fd));
    if (!directory) {
        ::close(fd);
        throw OSError(ENOMEM, QStringLiteral("fdopendir"));
    }
    return directory;
}

} // namespace

Listing list_directory(const QByteArray &root, const QByteArray &path,
                       std::shared_ptr<const Inotify> inotify)
{
    Listing listing;
    const bool is_root = path.isEmpty();
    const QByteArray name = is_root ? root : root + '/' + path;
    listing.watch = inotify->watch(name, is_root);
    if (listing.watch < 0)
        listing.watch_error = errno;

    const Dir directory = open_directory(name, is_root); // the user may well have named a link
    const QByteArray prefix = is_root ? QByteArray() : path + '/';
    for (;;) {
        errno = 0;
        const dirent *entry = ::readdir(directory.get());
        if (!entry && errno != 0)
            throw OSError(errno, QStringLiteral("readdir"));
        if (!entry)
            break;
        if (qstrcmp(entry->d_name, ".") == 0 || qstrcmp(entry->d_name, "..") == 0)
            continue;
        const QByteArray entry_path = prefix + entry->d_name;
        struct stat status = {};
        if (::fstatat(::dirfd(directory.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            add_entry(listing, root, entry_path, status);
        else
            listing.not_hashed.push_back({entry_path, error_text(errno), true});
    }
    sort(listing);
    return listing;
}

Listing examine(const QByteArray &root, const std::vector<QByteArray> &paths)
{
    Listing listing;
    for (const QByteArray &path : paths) {
        struct stat status = {};
        if (::lstat((root + '/' + path).constData(), &status) == 0)
            add_entry(listing, root, path, status);
        else if (errno == ENOENT || errno == ENOTDIR)
            listing.gone.push_back(path);
        else
            listing.not_hashed.push_back({path, error_text(errno), true});
    }
    return listing;
}

} // namespace Demo
