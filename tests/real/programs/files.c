/* libxenlight keeps locks and state in folders of the system's. Here it is the current folder: these take the place of
 * the C library's functions of the same names. */

#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *ours(const char *path)
{
    static const char *const folders[] = { "/var/lib/xen/", "/var/run/xen/", "/var/log/xen/" };
    for (size_t at = 0; at < sizeof(folders) / sizeof(*folders); at++)
        if (!strncmp(path, folders[at], strlen(folders[at])))
            return path + strlen(folders[at]);
    return path;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return (int)syscall(SYS_openat, AT_FDCWD, ours(path), flags, mode);
}

int stat(const char *path, struct stat *status)
{
    return fstatat(AT_FDCWD, ours(path), status, 0);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, ours(path), 0);
}

FILE *fopen(const char *path, const char *mode)
{
    int flags = *mode == 'r' ? O_RDONLY : O_WRONLY | O_CREAT | (*mode == 'a' ? O_APPEND : O_TRUNC);
    int file = open(path, flags | O_CLOEXEC, 0600);
    return file < 0 ? NULL : fdopen(file, mode);
}

int rename(const char *old, const char *new)
{
    return renameat(AT_FDCWD, ours(old), AT_FDCWD, ours(new));
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, ours(path), mode);
}

int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, ours(path), AT_REMOVEDIR);
}
