// SPDX-License-Identifier: MIT
/*
 * The backend on /dev/aring: every call is one ioctl.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"
#include "session_env.h"

/*
 * ioctl(2) without the detour through the C library, which takes variable
 * arguments and keeps errno: at one operation a call that can be seen.
 */
static inline int device_ioctl(int fd, unsigned long cmd, void *arg)
{
#ifdef __x86_64__
	long ret;

	asm volatile("syscall"
		     : "=a" (ret)
		     : "0" ((long)__NR_ioctl), "D" ((long)fd), "S" (cmd),
		       "d" (arg)
		     : "rcx", "r11", "memory");
	return (int)ret;
#else
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
#endif
}

int aring_device_setup_fd(int fd, unsigned int entries, struct aring_params *p)
{
	p->sq_entries = entries;
	return device_ioctl(fd, ARING_IOC_SETUP, p);
}

/*
 * Under aring run a ring joins the session that the environment names; when that
 * is over, rings are on their own.
 */
static int join_session(int fd)
{
	struct aring_session s = {
		.cmd = ARING_SESSION_JOIN,
		.id = aring_session_id(secure_getenv(ARING_SESSION_ENV)),
	};
	int ret;

	if (!s.id)
		return 0;
	ret = device_ioctl(fd, ARING_IOC_SESSION, &s);
	return ret == -ENOENT ? 0 : ret;
}

static int device_setup(unsigned int entries, struct aring_params *p)
{
	int saved = errno;
	int fd, ret;

	fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		errno = saved;
		return ret;
	}

	ret = join_session(fd);
	if (!ret)
		ret = aring_device_setup_fd(fd, entries, p);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

static int device_enter(int fd, unsigned int to_submit,
			unsigned int min_complete, unsigned int flags,
			const void *arg, size_t argsz)
{
	struct aring_enter enter = {
		.to_submit = to_submit,
		.min_complete = min_complete,
		.flags = flags,
		.argsz = (unsigned int)argsz,
		.arg = (uintptr_t)arg,
	};

	return device_ioctl(fd, ARING_IOC_ENTER, &enter);
}

static int device_register(int fd, unsigned int opcode, const void *arg,
			   unsigned int nr_args)
{
	struct aring_register reg = {
		.opcode = opcode,
		.nr_args = nr_args,
		.arg = (uintptr_t)arg,
	};

	return device_ioctl(fd, ARING_IOC_REGISTER, &reg);
}

const struct aring_ops aring_device_ops = {
	.setup = device_setup,
	.enter = device_enter,
	.reg = device_register,
};

/**
 * aring_get_info() - ask the module what it can do
 * @info: filled in; what the module does not know of stays 0
 *
 * Needs no ring, only permission to open ARING_DEVICE.
 *
 * Return: 0; -ENOENT if the module is not loaded, -EACCES if the device may not
 * be opened, or another error of open(2) or of the ioctl.
 */
int aring_get_info(struct aring_info *info)
{
	int saved = errno;
	int fd, ret;

	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);

	fd = open(ARING_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		errno = saved;
		return ret;
	}
	ret = device_ioctl(fd, ARING_IOC_INFO, info);
	close(fd);
	return ret < 0 ? ret : 0;
}
