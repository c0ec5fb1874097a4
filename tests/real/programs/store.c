/* A xenstore daemon in a thread: as much of its protocol (xen/io/xs_wire.h) as libxenlight needs. Transactions take
 * effect at once. */

#include "toolstack.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#define ENTRIES 4096
#define WATCHES 256
#define CLIENTS 16

static struct entry { char *path, *value; } entries[ENTRIES];
static struct watch { int client; char *path, *token; } watches[WATCHES];
static int clients[CLIENTS], listener;

static void send_message(int client, uint32_t type, const struct xsd_sockmsg *asked, const char *data, size_t size)
{
    struct xsd_sockmsg header = { type, asked ? asked->req_id : 0, asked ? asked->tx_id : 0, (uint32_t)size };
    if (write(client, &header, sizeof(header)) < 0 || (size && write(client, data, size) < 0))
        perror("store: write");
}

static void fail(int client, const struct xsd_sockmsg *asked, const char *error)
{
    send_message(client, XS_ERROR, asked, error, strlen(error) + 1);
}

static int is_below(const char *path, const char *parent)
{
    size_t size = strlen(parent);
    return !strncmp(path, parent, size) && (!path[size] || path[size] == '/' || !strcmp(parent, "/"));
}

static struct entry *find(const char *path)
{
    for (int at = 0; at < ENTRIES; at++)
        if (entries[at].path && !strcmp(entries[at].path, path))
            return &entries[at];
    return NULL;
}

static void tell(int client, const char *path, const char *token)
{
    char event[4096];
    int size = snprintf(event, sizeof(event), "%s%c%s", path, 0, token);
    send_message(client, XS_WATCH_EVENT, NULL, event, (size_t)size + 1);
}

static void changed(const char *path)
{
    for (int at = 0; at < WATCHES; at++)
        if (watches[at].path && is_below(path, watches[at].path))
            tell(watches[at].client, path, watches[at].token);
}

static void put(const char *path, const char *value, size_t size)
{
    struct entry *entry = find(path);
    char *slash;
    for (int at = 0; !entry && at < ENTRIES; at++)
        if (!entries[at].path)
            (entry = &entries[at])->path = strdup(path);
    if (!entry)
        return;
    free(entry->value);
    entry->value = strndup(value, size);
    /* Parents come with it. */
    char *parent = strdup(path);
    if ((slash = strrchr(parent, '/')) && slash != parent) {
        *slash = 0;
        if (!find(parent))
            put(parent, "", 0);
    }
    free(parent);
}

static int removed(const char *path)
{
    int count = 0;
    for (int at = 0; at < ENTRIES; at++)
        if (entries[at].path && is_below(entries[at].path, path)) {
            free(entries[at].path);
            free(entries[at].value);
            entries[at] = (struct entry){ NULL, NULL };
            count++;
        }
    return count;
}

static size_t list(const char *path, char *names, size_t room)
{
    size_t used = 0, size = strlen(path);
    for (int at = 0; at < ENTRIES; at++) {
        const char *name = entries[at].path ? entries[at].path + size + 1 : NULL;
        if (!name || !is_below(entries[at].path, path) || !entries[at].path[size] || strchr(name, '/'))
            continue;
        if (used + strlen(name) + 1 > room)
            break;
        used += (size_t)sprintf(names + used, "%s", name) + 1;
    }
    return used;
}

static void watch(int client, const struct xsd_sockmsg *asked, const char *path, const char *token)
{
    for (int at = 0; at < WATCHES; at++)
        if (!watches[at].path) {
            watches[at] = (struct watch){ client, strdup(path), strdup(token) };
            send_message(client, XS_WATCH, asked, "OK", 3);
            tell(client, path, token);
            return;
        }
    fail(client, asked, "ENOSPC");
}

static void unwatch(int client, const char *token)
{
    for (int at = 0; at < WATCHES; at++)
        if (watches[at].path && watches[at].client == client && (!token || !strcmp(watches[at].token, token))) {
            free(watches[at].path);
            free(watches[at].token);
            watches[at].path = NULL;
        }
}

/* What comes as a path may be relative to the domain's own folder. */
static void absolute(char *path, size_t room, const char *given)
{
    snprintf(path, room, "%s%s", *given == '/' || *given == '@' ? "" : "/local/domain/0/", given);
}

static void answer(int client, const struct xsd_sockmsg *asked, const char *data)
{
    const char *second = data + strlen(data) + 1;
    char path[XENSTORE_PAYLOAD_MAX + 32], text[XENSTORE_PAYLOAD_MAX + 32];
    struct entry *entry;

    absolute(path, sizeof(path), data);
    entry = find(path);
    switch (asked->type) {
    case XS_READ:
        if (!entry)
            return fail(client, asked, "ENOENT");
        return send_message(client, XS_READ, asked, entry->value, strlen(entry->value));
    case XS_DIRECTORY:
        if (!entry)
            return fail(client, asked, "ENOENT");
        return send_message(client, XS_DIRECTORY, asked, text, list(path, text, sizeof(text)));
    case XS_GET_PERMS:
        return entry ? send_message(client, XS_GET_PERMS, asked, "n0", 3) : fail(client, asked, "ENOENT");
    case XS_WRITE:
        put(path, second, asked->len - (size_t)(second - data));
        send_message(client, XS_WRITE, asked, "OK", 3);
        return changed(path);
    case XS_MKDIR:
        if (!entry)
            put(path, "", 0);
        send_message(client, XS_MKDIR, asked, "OK", 3);
        return changed(path);
    case XS_RM:
        if (!removed(path))
            return fail(client, asked, "ENOENT");
        send_message(client, XS_RM, asked, "OK", 3);
        return changed(path);
    case XS_WATCH:
        return watch(client, asked, path, second);
    case XS_UNWATCH:
        unwatch(client, second);
        return send_message(client, XS_UNWATCH, asked, "OK", 3);
    case XS_TRANSACTION_START:
        return send_message(client, XS_TRANSACTION_START, asked, "1", 2);
    case XS_GET_DOMAIN_PATH:
        snprintf(text, sizeof(text), "/local/domain/%s", data);
        return send_message(client, XS_GET_DOMAIN_PATH, asked, text, strlen(text) + 1);
    case XS_IS_DOMAIN_INTRODUCED:
        return send_message(client, XS_IS_DOMAIN_INTRODUCED, asked, "T", 2);
    case XS_TRANSACTION_END:
    case XS_SET_PERMS:
    case XS_INTRODUCE:
    case XS_RELEASE:
    case XS_SET_TARGET:
    case XS_RESUME:
        return send_message(client, asked->type, asked, "OK", 3);
    default:
        return fail(client, asked, "ENOSYS");
    }
}

static int receive(int client)
{
    struct xsd_sockmsg header;
    char data[XENSTORE_PAYLOAD_MAX + 2];

    if (recv(client, &header, sizeof(header), MSG_WAITALL) != sizeof(header) || header.len > XENSTORE_PAYLOAD_MAX)
        return -1;
    if (header.len && recv(client, data, header.len, MSG_WAITALL) != (ssize_t)header.len)
        return -1;
    data[header.len] = data[header.len + 1] = 0;
    answer(client, &header, data);
    return 0;
}

static void *serve(void *unused)
{
    (void)unused;
    for (;;) {
        struct pollfd ready[CLIENTS + 1];
        int count = 0;
        ready[count++] = (struct pollfd){ listener, POLLIN, 0 };
        for (int at = 0; at < CLIENTS; at++)
            if (clients[at] > 0)
                ready[count++] = (struct pollfd){ clients[at], POLLIN, 0 };
        if (poll(ready, (nfds_t)count, -1) < 0)
            continue;
        for (int at = 1; at < count; at++)
            if (ready[at].revents && receive(ready[at].fd) < 0) {
                unwatch(ready[at].fd, NULL);
                for (int client = 0; client < CLIENTS; client++)
                    if (clients[client] == ready[at].fd)
                        clients[client] = 0;
                close(ready[at].fd);
            }
        if (ready[0].revents)
            for (int at = 0; at < CLIENTS; at++)
                if (clients[at] <= 0) {
                    clients[at] = accept(listener, NULL, NULL);
                    break;
                }
    }
    return NULL;
}

void store_start(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    pthread_t thread;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, CLIENTS)) {
        perror(path);
        exit(1);
    }
    put("/local/domain/0/name", "Domain-0", 8);
    put("/local/domain/0/domid", "0", 1);
    put("/local/pool/0/name", "Pool-0", 6);
    setenv("XENSTORED_PATH", path, 1);
    if (pthread_create(&thread, NULL, serve, NULL))
        exit(1);
}
