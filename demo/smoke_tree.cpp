// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "smoke_tree.h"

#include "hasher.h"

#include <qasyncio/errors.h>

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace Demo {

using namespace QAsyncio;

namespace {

void check(int result, const char *what)
{
    if (result < 0)
        throw OSError(errno, QLatin1String(what));
}

void write_file(const QByteArray &path, const QByteArray &content, int repeat = 1)
{
    const int fd = ::open(path.constData(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    check(fd, "open");
    for (int i = 0; i < repeat; ++i)
        check(static_cast<int>(::write(fd, content.constData(), content.size())), "write");
    check(::close(fd), "close");
}

void make_directory(const QByteArray &path)
{
    check(::mkdir(path.constData(), 0755), "mkdir");
}

void make_link(const char *target, const QByteArray &path)
{
    check(::symlink(target, path.constData()), "symlink");
}

void make_socket(const QByteArray &path)
{
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= static_cast<qsizetype>(sizeof address.sun_path))
        throw ValueError(
            QStringLiteral("the name of the temporary directory is too long for a socket"));
    std::memcpy(address.sun_path, path.constData(), path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fd, "socket");
    const int result = ::bind(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address);
    ::close(fd);
    check(result, "bind");
}

QByteArray noise(int size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    quint32 state = 1;
    for (char &byte : bytes)
        byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

void make_names(const QByteArray &root)
{
    write_file(root + "/plain.txt", "plain\n");
    write_file(root + "/empty", "");
    write_file(root + "/-", "a name that sha256sum takes for standard input\n");
    write_file(root + "/latin-1 gr\xfc\xdf", "a name that is not UTF-8\n");
    write_file(root + "/utf-8 gr\xc3\xbc\xc3\x9f", "a name that is\n");
    write_file(root + "/new\nline", "a name of two lines\n");
    write_file(root + "/back\\slash", "a name with a backslash\n");
    write_file(root + "/<b>bold & more", "a name that is no rich text\n");
    write_file(root + "/" + QByteArray(250, 'n'), "a long name\n");
}

void make_obstacles(const QByteArray &root)
{
    check(::mkfifo((root + "/fifo").constData(), 0644), "mkfifo");
    make_socket(root + "/socket");
    make_directory(root + "/loop");
    make_link("..", root + "/loop/again");
    make_link("self", root + "/self");
    make_link("nowhere", root + "/broken");
    make_link("plain.txt", root + "/link to plain.txt");
    write_file(root + "/no permission", "");
    check(::chmod((root + "/no permission").constData(), 0), "chmod");
}

void make_work(const QByteArray &root)
{
    const QByteArray block = noise(1024 * 1024);
    make_directory(root + "/large");
    for (const char name : {'a', 'b', 'c'})
        write_file(root + "/large/" + name, name + block.mid(1), 96);
    for (int i = 0; i < 20; ++i) {
        const QByteArray folder = root + "/small " + QByteArray::number(i);
        make_directory(folder);
        for (int j = 0; j < 15; ++j)
            write_file(folder + '/' + QByteArray::number(j) + ".data", block.left(i * 1000 + j));
    }
}

void remove_file(const QByteArray &path)
{
    check(::unlink(path.constData()), "unlink");
}

} // namespace

void build_smoke_tree(const QByteArray &root)
{
    make_names(root);
    make_obstacles(root);
    make_work(root);
    prepare_accidents(root);
}

void remove_smoke_tree(const QByteArray &root) noexcept
{
    std::error_code ignored;
    std::filesystem::remove_all(std::filesystem::path(root.toStdString()), ignored);
}

void prepare_accidents(const QByteArray &root)
{
    if (::mkdir((root + "/vanishes").constData(), 0755) != 0 && errno != EEXIST)
        throw OSError(errno, QStringLiteral("mkdir"));
    write_file(root + "/vanishes/never seen", "");
    write_file(root + "/vanishing file", "");
    ::unlink((root + "/becomes a fifo").constData());
    write_file(root + "/becomes a fifo", "");
}

void install_accidents(const QByteArray &root, Hasher &hasher)
{
    QObject::connect(&hasher, &Hasher::directoryBegins, &hasher, [root](const QByteArray &path) {
        if (path == "vanishes") {
            ::unlink((root + "/vanishes/never seen").constData());
            ::rmdir((root + "/vanishes").constData());
        }
    });
    QObject::connect(&hasher, &Hasher::fileBegins, &hasher, [root](const QByteArray &path) {
        if (path == "vanishing file" || path == "becomes a fifo")
            ::unlink((root + '/' + path).constData());
        if (path == "becomes a fifo")
            ::mkfifo((root + '/' + path).constData(), 0644);
    });
}

void change_smoke_tree(const QByteArray &root)
{
    write_file(root + "/plain.txt", "not the same any more\n");
    write_file(root + "/added \xe9t\xe9", "new\n");
    remove_file(root + "/empty");
    make_directory(root + "/added");
    make_directory(root + "/added/deeper");
    write_file(root + "/added/deeper/file", "new\n");
    check(::rename((root + "/small 3").constData(), (root + "/small three").constData()), "rename");
}

} // namespace Demo
