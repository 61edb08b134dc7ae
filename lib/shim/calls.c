// SPDX-License-Identifier: MIT
/*
 * The three calls of io_uring, made on /dev/aring. All of this runs in the
 * SIGSYS handler: system calls and nothing else.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <linux/aring.h>

#include "shim.h"

#define ARING_DEVICE		"/dev/aring"
/* Flags of io_uring_enter(2) as of Linux 6.1 */
#define ENTER_REGISTERED_RING	0x10U
#define ENTER_KNOWN		0x1fU
#define MAX_REGISTERED_RINGS	16

/*
 * A bad pointer is the program's right: it gets EFAULT, not a SIGSEGV from
 * within a handler. These two have the kernel try: the mask is read before
 * "how" is found to be nonsense, and the old mask may be had without a new one.
 */
static bool readable(const void *p)
{
	return sys_sigprocmask(-1, p, NULL) == -EINVAL;
}

static bool writable(void *p)
{
	return !sys_sigprocmask(SIG_BLOCK, NULL, p);
}

/* Both ends: what is as small as this lies in two pages at most. */
static bool readable_all(const void *p, size_t len)
{
	return readable(p) &&
	       readable((const char *)p + len - KERNEL_SIGSET_SIZE);
}

static bool writable_all(void *p, size_t len)
{
	return writable(p) && writable((char *)p + len - KERNEL_SIGSET_SIZE);
}

/* What a kernel without io_uring, or a policy against it, would say. */
static long open_error(long err)
{
	switch (err) {
	case -ENOENT:
	case -ENOTDIR:
	case -ENXIO:
	case -ENODEV:
		return -ENOSYS;
	case -EACCES:
		return -EPERM;
	default:
		return err;
	}
}

/* When the session is over, rings are on their own. */
static long join_session(long fd)
{
	struct aring_session s = {
		.cmd = ARING_SESSION_JOIN,
		.id = shim_session(),
	};
	long ret;

	if (!s.id)
		return 0;
	ret = sys3(SYS_ioctl, fd, ARING_IOC_SESSION, &s);
	return ret == -ENOENT ? 0 : ret;
}

static long ring_setup(unsigned int entries, struct aring_params *user)
{
	struct aring_params p;
	long fd, ret;

	if (!readable_all(user, sizeof(p)))
		return -EFAULT;
	p = *user;
	p.sq_entries = entries;

	fd = sys4(SYS_openat, AT_FDCWD, ARING_DEVICE,
		  O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return open_error(fd);
	ret = join_session(fd);
	if (!ret)
		ret = sys3(SYS_ioctl, fd, ARING_IOC_SETUP, &p);
	if (!ret && !writable_all(user, sizeof(p)))
		ret = -EFAULT;
	if (ret) {
		sys1(SYS_close, fd);
		return ret;
	}
	*user = p;
	return fd;
}

/* Only a ring knows the two ioctls; io_uring has its own word for the rest. */
static long ring_ioctl(unsigned int fd, unsigned int cmd, void *arg)
{
	long ret = sys3(SYS_ioctl, fd, cmd, arg);

	return ret == -ENOTTY ? -EOPNOTSUPP : ret;
}

/*
 * Handlers that interrupt the wait run with its mask. They may use a ring as
 * well, so SIGSYS is taken out of it. What cannot be read or is of the wrong size
 * is left to the module, which says what is wrong.
 */
static void allow_sigsys(struct aring_enter *e, struct aring_getevents_arg *ext,
			 kernel_sigset *mask)
{
	const void *arg = (const void *)(uintptr_t)e->arg;
	const struct aring_getevents_arg *ext_arg = arg;
	const void *set = arg;

	if (!arg)
		return;
	if (e->flags & ARING_ENTER_EXT_ARG) {
		if (e->argsz != sizeof(*ext) || !readable(arg))
			return;
		/* The common case: a time-out and no mask. */
		set = (const void *)(uintptr_t)ext_arg->sigmask;
		if (!set || !readable_all(arg, sizeof(*ext)) ||
		    ext_arg->sigmask_sz != KERNEL_SIGSET_SIZE)
			return;
	} else if (e->argsz != KERNEL_SIGSET_SIZE) {
		return;
	}
	if (!readable(set))
		return;
	*mask = *(const kernel_sigset *)set & ~SIGSYS_BIT;
	if (e->flags & ARING_ENTER_EXT_ARG) {
		*ext = *ext_arg;
		ext->sigmask = (uintptr_t)mask;
		e->arg = (uintptr_t)ext;
	} else {
		e->arg = (uintptr_t)mask;
	}
}

static long ring_enter(const long *arg)
{
	struct aring_enter e = {
		.to_submit = (unsigned int)arg[1],
		.min_complete = (unsigned int)arg[2],
		.flags = (unsigned int)arg[3],
		.argsz = (unsigned int)arg[5],
		.arg = (uint64_t)arg[4],
	};
	struct aring_getevents_arg ext;
	kernel_sigset mask;

	/*
	 * Answered before the descriptor is looked at, as io_uring does. An
	 * index of a registered ring is no descriptor, and the device registers
	 * none. A size of 4 GiB and more must not become a good one.
	 */
	if (e.flags & ~ENTER_KNOWN)
		return -EINVAL;
	if (e.flags & ENTER_REGISTERED_RING)
		return (unsigned int)arg[0] < MAX_REGISTERED_RINGS ? -EBADF :
		       -EINVAL;
	if ((unsigned long)arg[5] != e.argsz)
		e.argsz = ~0U;
	allow_sigsys(&e, &ext, &mask);
	return ring_ioctl((unsigned int)arg[0], ARING_IOC_ENTER, &e);
}

static long ring_register(const long *arg)
{
	struct aring_register r = {
		.opcode = (unsigned int)arg[1],
		.nr_args = (unsigned int)arg[3],
		.arg = (uint64_t)arg[2],
	};

	if (r.opcode > ARING_REGISTER_FILE_ALLOC_RANGE)
		return -EINVAL;
	return ring_ioctl((unsigned int)arg[0], ARING_IOC_REGISTER, &r);
}

/**
 * shim_call() - make one of the three calls on the device
 * @nr: which
 * @arg: its six arguments
 *
 * Return: what the system call would: a result or a negative errno.
 */
long shim_call(long nr, const long *arg)
{
	switch (nr) {
	case SYS_io_uring_setup:
		return ring_setup((unsigned int)arg[0],
				  (struct aring_params *)arg[1]);
	case SYS_io_uring_enter:
		return ring_enter(arg);
	case SYS_io_uring_register:
		return ring_register(arg);
	default:
		return -ENOSYS;
	}
}
