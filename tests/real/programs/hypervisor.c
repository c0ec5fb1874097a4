/* What libxenctrl asks of a hypervisor, answered without one: these take the place of libxencall's functions of the
 * same names, so that libxenlight and libxenctrl run as they are. One domain can be made; it never runs. */

#define __XEN_TOOLS__ 1
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xencall.h>
#include <xendevicemodel.h>
#include <xenforeignmemory.h>
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

#define DOMAIN 5

static int exists;
static int handle;

static void describe(struct xen_domctl_getdomaininfo *info)
{
    memset(info, 0, sizeof(*info));
    info->domain = DOMAIN;
    info->flags = XEN_DOMINF_blocked;
    info->max_pages = 1 << 16;
    info->nr_online_vcpus = 1;
}

static int domctl(struct xen_domctl *call)
{
    switch (call->cmd) {
    case XEN_DOMCTL_createdomain:
        exists = 1;
        call->domain = DOMAIN;
        return 0;
    case XEN_DOMCTL_destroydomain:
        exists = 0;
        return 0;
    case XEN_DOMCTL_getdomaininfo:
        if (!exists || call->domain > DOMAIN) {
            errno = ESRCH;
            return -1;
        }
        describe(&call->u.getdomaininfo);
        call->domain = DOMAIN;
        return 0;
    default:
        return 0;
    }
}

static int system_control(struct xen_sysctl *call)
{
    switch (call->cmd) {
    case XEN_SYSCTL_physinfo:
        call->u.physinfo.nr_cpus = 2;
        call->u.physinfo.max_cpu_id = 1;
        call->u.physinfo.threads_per_core = call->u.physinfo.cores_per_socket = 1;
        call->u.physinfo.nr_nodes = 1;
        call->u.physinfo.capabilities =
            XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_hap;
        call->u.physinfo.total_pages = call->u.physinfo.free_pages = 1 << 20;
        return 0;
    case XEN_SYSCTL_numainfo:
        call->u.numainfo.num_nodes = 1;
        return 0;
    case XEN_SYSCTL_getdomaininfolist:
        call->u.getdomaininfolist.num_domains =
            exists && call->u.getdomaininfolist.first_domain <= DOMAIN;
        if (call->u.getdomaininfolist.num_domains)
            describe(call->u.getdomaininfolist.buffer.p);
        return 0;
    case XEN_SYSCTL_cpupool_op:
        if (call->u.cpupool_op.op == XEN_SYSCTL_CPUPOOL_OP_INFO && call->u.cpupool_op.cpupool_id > 0) {
            errno = ENOENT;
            return -1;
        }
        return 0;
    default:
        errno = ENOSYS;
        return -1;
    }
}

int xencall1(xencall_handle *call, unsigned int op, uint64_t argument)
{
    (void)call;
    switch (op) {
    case __HYPERVISOR_domctl:
        return domctl((void *)(uintptr_t)argument);
    case __HYPERVISOR_sysctl:
        return system_control((void *)(uintptr_t)argument);
    default:
        errno = ENOSYS;
        return -1;
    }
}

int xencall2(xencall_handle *call, unsigned int op, uint64_t first, uint64_t second)
{
    (void)call;
    if (op == __HYPERVISOR_xen_version) {
        /* XENVER_version; the other questions are answered with empty strings. */
        if (first == 0)
            return 4 << 16 | 17;
        return 0;
    }
    if (op == __HYPERVISOR_memory_op && first == XENMEM_get_vnumainfo) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (op == __HYPERVISOR_memory_op && first == XENMEM_populate_physmap)
        return (int)((struct xen_memory_reservation *)(uintptr_t)second)->nr_extents;
    return 0;
}

long xencall2L(xencall_handle *call, unsigned int op, uint64_t first, uint64_t second)
{
    return xencall2(call, op, first, second);
}

int xencall3(xencall_handle *call, unsigned int op, uint64_t a, uint64_t b, uint64_t c)
{
    (void)call, (void)op, (void)a, (void)b, (void)c;
    return 0;
}

int xencall4(xencall_handle *call, unsigned int op, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)call, (void)op, (void)a, (void)b, (void)c, (void)d;
    return 0;
}

xencall_handle *xencall_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return (xencall_handle *)&handle;
}

int xencall_close(xencall_handle *call)
{
    (void)call;
    return 0;
}

int xencall_buffers_never_fault(xencall_handle *call)
{
    (void)call;
    return 1;
}

void *xencall_alloc_buffer_pages(xencall_handle *call, size_t pages)
{
    (void)call;
    return aligned_alloc(4096, pages * 4096);
}

void xencall_free_buffer_pages(xencall_handle *call, void *buffer, size_t pages)
{
    (void)call, (void)pages;
    free(buffer);
}

void *xencall_alloc_buffer(xencall_handle *call, size_t size)
{
    (void)call;
    return calloc(1, size);
}

void xencall_free_buffer(xencall_handle *call, void *buffer)
{
    (void)call;
    free(buffer);
}

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return (xenforeignmemory_handle *)&handle;
}

int xenforeignmemory_close(xenforeignmemory_handle *memory)
{
    (void)memory;
    return 0;
}

void *xenforeignmemory_map(xenforeignmemory_handle *memory, uint32_t domain, int protection, size_t pages,
                           const xen_pfn_t frames[], int errors[])
{
    void *mapped = mmap(NULL, pages * 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)memory, (void)domain, (void)frames;
    if (mapped == MAP_FAILED)
        return NULL;
    if (errors)
        memset(errors, 0, pages * sizeof(*errors));
    return mapped;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *memory, void *mapped, size_t pages)
{
    (void)memory;
    return munmap(mapped, pages * 4096);
}

xendevicemodel_handle *xendevicemodel_open(struct xentoollog_logger *logger, unsigned flags)
{
    (void)logger, (void)flags;
    return (xendevicemodel_handle *)&handle;
}

int xendevicemodel_close(xendevicemodel_handle *model)
{
    (void)model;
    return 0;
}
