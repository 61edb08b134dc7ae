/* SPDX-License-Identifier: MIT */
/*
 * Commanding time, order and failure: the virtual device, virtual clocks and
 * steering. Included by <aring.h>. What each means is said in <linux/aring.h>, which
 * also has the structures.
 *
 * All of it is the device's alone: on the kernel's io_uring these functions answer
 * -EOPNOTSUPP. Each is one ioctl, and answers 0 or a negative errno unless it
 * says otherwise.
 */
#ifndef _ARING_COMMAND_H
#define _ARING_COMMAND_H

#ifndef _ARING_H
#include <aring.h>
#endif

#include <errno.h>
#include <sys/ioctl.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * aring_command() - what the others are made of
 * @ring: the ring
 * @cmd: ARING_IOC_*
 * @arg: its argument
 */
static inline int aring_command(struct aring *ring, unsigned long cmd, void *arg)
{
	if (ring->backend != ARING_BACKEND_DEVICE)
		return -EOPNOTSUPP;
	return ioctl(ring->ring_fd, cmd, arg) < 0 ? -errno : 0;
}

/**
 * aring_prep_vread() - read from the ring's virtual device
 * @sqe: the entry
 * @buf: where to
 * @len: bytes
 * @off: offset in the medium
 */
static inline void aring_prep_vread(struct aring_sqe *sqe, void *buf,
				    unsigned int len, __u64 off)
{
	aring_prep_rw(ARING_OP_VREAD, sqe, -1, buf, len, off);
}

/**
 * aring_prep_vwrite() - write to the ring's virtual device
 * @sqe: the entry
 * @buf: what
 * @len: bytes
 * @off: offset in the medium
 */
static inline void aring_prep_vwrite(struct aring_sqe *sqe, const void *buf,
				     unsigned int len, __u64 off)
{
	aring_prep_rw(ARING_OP_VWRITE, sqe, -1, buf, len, off);
}

/**
 * aring_sqe_set_service() - how long the device is to take for a request
 * @sqe: filled in by aring_prep_vread() or aring_prep_vwrite()
 * @ns: nanoseconds, in place of what the device would take
 */
static inline void aring_sqe_set_service(struct aring_sqe *sqe, __u64 ns)
{
	sqe->vdev_flags |= ARING_VDEV_TIME;
	sqe->addr3 = ns;
}

/**
 * aring_vdev() - give the ring a virtual device, or none
 * @ring: the ring
 * @vdev: its properties
 */
static inline int aring_vdev(struct aring *ring, const struct aring_vdev *vdev)
{
	struct aring_vdev copy = *vdev;

	return aring_command(ring, ARING_IOC_VDEV, &copy);
}

/**
 * aring_clock() - ask, give or move the ring's clock
 * @ring: the ring
 * @clock: in and out
 */
static inline int aring_clock(struct aring *ring, struct aring_clock *clock)
{
	return aring_command(ring, ARING_IOC_CLOCK, clock);
}

/**
 * aring_clock_virtual() - give the ring a virtual clock
 * @ring: a ring without requests
 * @flags: 0 to move it by hand, or ARING_CLOCK_AUTO
 */
static inline int aring_clock_virtual(struct aring *ring, __u32 flags)
{
	struct aring_clock clock = {};

	clock.cmd = ARING_CLOCK_VIRTUAL;
	clock.flags = flags;
	return aring_clock(ring, &clock);
}

/**
 * aring_clock_next() - move a virtual clock to the next event
 * @ring: the ring
 * @now: out: the time then, in nanoseconds; may be NULL
 *
 * -ENOENT if there is none.
 */
static inline int aring_clock_next(struct aring *ring, __u64 *now)
{
	struct aring_clock clock = {};
	int ret;

	clock.cmd = ARING_CLOCK_NEXT;
	ret = aring_clock(ring, &clock);
	if (!ret && now)
		*now = clock.time;
	return ret;
}

/**
 * aring_clock_advance() - move a virtual clock by a span
 * @ring: the ring
 * @ns: nanoseconds; with 0 it finishes the instant at hand
 */
static inline int aring_clock_advance(struct aring *ring, __u64 ns)
{
	struct aring_clock clock = {};

	clock.cmd = ARING_CLOCK_ADVANCE;
	clock.time = ns;
	return aring_clock(ring, &clock);
}

/**
 * aring_clock_now() - what time it is for the ring
 * @ring: the ring
 * @now: out: nanoseconds
 */
static inline int aring_clock_now(struct aring *ring, __u64 *now)
{
	struct aring_clock clock = {};
	int ret;

	clock.cmd = ARING_CLOCK_GET;
	ret = aring_clock(ring, &clock);
	if (!ret)
		*now = clock.time;
	return ret;
}

/**
 * aring_steer() - set rules for the ring
 * @ring: the ring
 * @rules: the rules
 * @nr: how many; all are added or none
 */
static inline int aring_steer(struct aring *ring, const struct aring_rule *rules,
			      unsigned int nr)
{
	struct aring_steer steer = {};

	steer.cmd = ARING_STEER_ADD;
	steer.nr = nr;
	steer.addr = (__u64)(uintptr_t)rules;
	return aring_command(ring, ARING_IOC_STEER, &steer);
}

/**
 * aring_steer_data() - one rule, for the requests of one name
 * @ring: the ring
 * @user_data: their name
 * @action: an &enum aring_action
 * @value: as the action says, else 0
 */
static inline int aring_steer_data(struct aring *ring, __u64 user_data,
				   enum aring_action action, __u64 value)
{
	struct aring_rule rule = {};

	rule.match = ARING_MATCH_USER_DATA;
	rule.user_data = user_data;
	rule.mask = ~0ULL;
	rule.action = action;
	rule.first = 1;
	rule.value = value;
	return aring_steer(ring, &rule, 1);
}

/**
 * aring_steer_clear() - forget all rules; what is held stays held
 * @ring: the ring
 */
static inline int aring_steer_clear(struct aring *ring)
{
	struct aring_steer steer = {};

	steer.cmd = ARING_STEER_CLEAR;
	return aring_command(ring, ARING_IOC_STEER, &steer);
}

/**
 * aring_held() - what is held
 * @ring: the ring
 * @held: out
 * @nr: room for so many
 *
 * Returns how many there are, which may be more than there was room for.
 */
static inline int aring_held(struct aring *ring, struct aring_held *held,
			     unsigned int nr)
{
	struct aring_steer steer = {};
	int ret;

	steer.cmd = ARING_STEER_HELD;
	steer.nr = nr;
	steer.addr = (__u64)(uintptr_t)held;
	ret = aring_command(ring, ARING_IOC_STEER, &steer);
	return ret ? ret : (int)steer.nr;
}

/**
 * aring_release() - let go a request that is held
 * @ring: the ring
 * @ticket: its submission ticket
 *
 * -ENOENT if no such request is held.
 */
static inline int aring_release(struct aring *ring, __u32 ticket)
{
	struct aring_steer steer = {};

	steer.cmd = ARING_STEER_RELEASE;
	steer.ticket = ticket;
	return aring_command(ring, ARING_IOC_STEER, &steer);
}

/**
 * aring_release_all() - let go all that is held
 * @ring: the ring
 *
 * Returns how many that were.
 */
static inline int aring_release_all(struct aring *ring)
{
	struct aring_steer steer = {};
	int ret;

	steer.cmd = ARING_STEER_RELEASE_ALL;
	ret = aring_command(ring, ARING_IOC_STEER, &steer);
	return ret ? ret : (int)steer.nr;
}

#ifdef __cplusplus
}
#endif

#endif /* _ARING_COMMAND_H */
