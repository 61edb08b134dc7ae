// SPDX-License-Identifier: MIT
/*
 * Multishot polls, what a full CQ ring makes of them, and POLL_REMOVE with its
 * two kinds of update.
 */
#include "poll.h"

#define MORE	((int)ARING_CQE_F_MORE)

RING_FIXTURE(multi);

TEST_F(multi, one_completion_per_event)
{
	for (int kind = 0; kind < SOURCES; kind++) {
		struct source s;

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		prep_multi(&self->r, s.fd, POLLIN, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 10), "%s", SOURCE[kind]);
		for (int round = 0; round < 4; round++) {
			source_fire(&s);
			NEXT(&self->r, 1, POLLIN, MORE, "%s, round %d",
			     SOURCE[kind], round);
			CHECK_TRUE(ring_quiet(&self->r, 5), "%s, round %d",
				   SOURCE[kind], round);
			source_drain(&s);
		}
		prep_poll_remove(&self->r, 1, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		NEXT(&self->r, 1, -ECANCELED, 0, "%s", SOURCE[kind]);
		NEXT(&self->r, 2, 0, 0, "%s", SOURCE[kind]);
		source_fire(&s);
		CHECK_TRUE(ring_quiet(&self->r, 15), "%s", SOURCE[kind]);
		source_close(&s);
	}
}

/* Each wake-up is an event, though nothing was read since the last. */
TEST_F(multi, every_write_is_an_event)
{
	static const int kinds[] = { EVENTFD, PIPE, UNIX_STREAM, TCP };

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const char *name = SOURCE[kinds[k]];
		struct source s;

		NEED_TRUE(source_open(&s, kinds[k]), "%s", name);
		prep_multi(&self->r, s.fd, POLLIN, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		for (int i = 0; i < 5; i++) {
			source_fire(&s);
			NEXT(&self->r, 1, POLLIN, MORE, "%s, event %d", name,
			     i);
		}
		/* reading is none, whatever is left */
		source_drain(&s);
		CHECK_TRUE(ring_quiet(&self->r, 10), "%s", name);
		prep_cancel(&self->r, 1, 0, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		BOTH(&self->r, 1, -ECANCELED, 2, 0, "%s", name);
		source_close(&s);
	}
}

TEST_F(multi, what_is_ready_when_it_is_armed_is_an_event)
{
	for (int kind = 0; kind < SOURCES; kind++) {
		struct source s;

		NEED_TRUE(source_open(&s, kind), "%s", SOURCE[kind]);
		source_fire(&s);
		if (kind == TIMERFD || kind >= PTY_MASTER)
			usleep(30000);
		prep_multi(&self->r, s.fd, POLLIN, 1);
		ASSERT_EQ(1, ring_submit(&self->r));
		NEXT(&self->r, 1, POLLIN, MORE, "%s", SOURCE[kind]);
		/* one, not one after the other */
		CHECK_TRUE(ring_quiet(&self->r, 10), "%s", SOURCE[kind]);
		source_drain(&s);
		source_fire(&s);
		NEXT(&self->r, 1, POLLIN, MORE, "%s", SOURCE[kind]);
		prep_cancel(&self->r, 1, 0, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		BOTH(&self->r, 1, -ECANCELED, 2, 0, "%s", SOURCE[kind]);
		source_close(&s);
	}
}

/* A hang-up is an event like another: the poll stays armed. */
TEST_F(multi, a_hang_up_does_not_end_it)
{
	int p[2];

	ASSERT_EQ(0, pipe(p));
	prep_multi(&self->r, p[0], POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	ASSERT_EQ(1, write(p[1], "x", 1));
	NEXT(&self->r, 1, POLLIN, MORE, "data");
	close(p[1]);
	NEXT(&self->r, 1, POLLIN | POLLHUP, MORE, "hang-up");
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	prep_poll_remove(&self->r, 1, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, -ECANCELED, 0, "removed");
	NEXT(&self->r, 2, 0, 0, "removed");
	/* and armed when it is hung up already */
	prep_multi(&self->r, p[0], 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, POLLHUP, MORE, "hung up before");
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	close(p[0]);
}

TEST_F(multi, a_socket_shut_down_in_two_steps)
{
	int sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	prep_multi(&self->r, sv[0], POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	ASSERT_EQ(0, shutdown(sv[1], SHUT_WR));
	NEXT(&self->r, 1, POLLIN | POLLRDHUP, MORE, "half");
	close(sv[1]);
	NEXT(&self->r, 1, POLLIN | POLLRDHUP | POLLHUP, MORE, "whole");
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	prep_cancel(&self->r, 1, 0, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	BOTH(&self->r, 1, -ECANCELED, 2, 0, "cancelled");
	close(sv[0]);
}

/* What cannot be waited for completes once; its CQE says that it was the last. */
TEST_F(multi, a_file_without_a_queue_completes_once)
{
	int fd = open("/proc/self/exe", O_RDONLY);

	prep_multi(&self->r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, POLLIN, 0, "regular file");
	prep_multi(&self->r, fd, POLLPRI, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, -EINVAL, 0, "regular file");
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	close(fd);
}

/* The bit of epoll makes a one-shot of a multishot. */
TEST_F(multi, epolloneshot_among_the_events_counts)
{
	int fd = eventfd(0, 0);

	prep_multi(&self->r, fd, EPOLLIN | EPOLLONESHOT, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	eventfd_add(fd, 1);
	NEXT(&self->r, 1, POLLIN, 0, "once");
	eventfd_add(fd, 1);
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	/* EPOLLET says what is the case anyway */
	prep_multi(&self->r, fd, EPOLLIN | EPOLLET, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, POLLIN, MORE, "at once");
	eventfd_add(fd, 1);
	NEXT(&self->r, 1, POLLIN, MORE, "again");
	close(fd);
}

TEST_F(multi, several_polls_see_every_event)
{
	int fd = eventfd(0, 0), seen[4] = { 0 };
	struct aring_cqe cqe;

	for (int i = 0; i < 4; i++)
		prep_poll(&self->r, fd, POLLIN, i)->len = i != 3;
	ASSERT_EQ(4, ring_submit(&self->r));
	for (int round = 0; round < 5; round++) {
		int n = round ? 3 : 4;

		eventfd_add(fd, 1);
		for (int i = 0; i < n; i++) {
			NEED_EQ(0, ring_cqe(&self->r, &cqe), "round %d", round);
			EXPECT_EQ(POLLIN, cqe.res);
			EXPECT_EQ(cqe.user_data == 3 ? 0 : MORE,
				  (int)cqe.flags);
			seen[cqe.user_data & 3]++;
		}
		EXPECT_TRUE(ring_quiet(&self->r, 5));
	}
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(i == 3 ? 1 : 5, seen[i]);
	close(fd);
}

TEST_F(multi, reading_and_writing_seen_by_one_poll)
{
	int sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	prep_multi(&self->r, sv[0], POLLIN | POLLOUT, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, POLLOUT, MORE, "armed");
	ASSERT_EQ(1, write(sv[1], "x", 1));
	/* the wake-up's own events, not all that hold */
	NEXT(&self->r, 1, POLLIN, MORE, "data");
	EXPECT_TRUE(ring_quiet(&self->r, 5));
	close(sv[0]);
	close(sv[1]);
}

static unsigned int overflown(struct ring *r)
{
	return *r->sq_flags & ARING_SQ_CQ_OVERFLOW;
}

/*
 * The event that finds the CQ ring full is the last: its CQE waits for room
 * and has no MORE.
 */
TEST_F(multi, a_full_ring_ends_it)
{
	struct aring_cqe cqe;
	struct ring r;
	int fd;

	for (unsigned int size = 1; size <= 64; size *= 8) {
		unsigned int cq;

		fd = eventfd(0, 0);
		ASSERT_EQ(0, ring_init(&r, variant->backend, size, 0));
		cq = r.p.cq_entries;
		prep_multi(&r, fd, POLLIN, 1);
		ASSERT_EQ(1, ring_submit(&r));
		for (unsigned int i = 0; i < cq; i++) {
			eventfd_add(fd, 1);
			NEED_EQ(0, ring_wait(&r, i + 1), "event %u", i);
		}
		EXPECT_EQ(0, overflown(&r));
		for (int i = 0; i < 3; i++)
			eventfd_add(fd, 1);
		ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
		EXPECT_NE(0, overflown(&r));
		EXPECT_EQ(cq, ring_ready(&r));
		for (unsigned int i = 0; i < cq; i++) {
			ASSERT_TRUE(ring_reap(&r, &cqe));
			CHECK_EQ(POLLIN, cqe.res, "event %u of %u", i, cq);
			CHECK_EQ(MORE, (int)cqe.flags, "event %u of %u", i, cq);
		}
		NEXT(&r, 1, POLLIN, 0, "the last");
		EXPECT_TRUE(ring_quiet(&r, 5));
		EXPECT_EQ(0, overflown(&r));
		EXPECT_EQ(0, *r.cq_overflow);
		/* it is over */
		eventfd_add(fd, 1);
		EXPECT_TRUE(ring_quiet(&r, 5));
		prep_poll_remove(&r, 1, 2);
		EXPECT_EQ(-ENOENT, ring_run(&r));
		ring_exit(&r);
		close(fd);
	}
}

TEST_F(multi, armed_ready_into_a_full_ring)
{
	int fd = eventfd(1, 0);
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	for (int i = 0; i < 16; i += 8) {
		for (int k = 0; k < 8; k++)
			prep_nop(&r, 10 + i + k);
		ASSERT_EQ(8, ring_submit(&r));
	}
	prep_multi(&r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&r));
	for (int i = 0; i < 16; i++) {
		ASSERT_EQ(0, ring_cqe(&r, &cqe));
		EXPECT_EQ(10 + i, cqe.user_data);
	}
	NEXT(&r, 1, POLLIN, 0, "ready, and no room");
	EXPECT_TRUE(ring_quiet(&r, 5));
	ring_exit(&r);
	close(fd);
}

/* There is room again, but what overflowed must come first. */
TEST_F(multi, behind_what_overflowed_it_ends_as_well)
{
	int fd = eventfd(0, 0);
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
	prep_multi(&r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&r));
	for (int i = 0; i < 17; i++) {
		prep_nop(&r, 10 + i);
		ASSERT_EQ(1, ring_submit(&r));
	}
	EXPECT_NE(0, overflown(&r));
	for (int i = 0; i < 16; i++) {
		ASSERT_TRUE(ring_reap(&r, &cqe));
		EXPECT_EQ(10 + i, cqe.user_data);
	}
	eventfd_add(fd, 1);
	NEXT(&r, 26, 0, 0, "the one that overflowed");
	NEXT(&r, 1, POLLIN, 0, "the event");
	EXPECT_TRUE(ring_quiet(&r, 5));
	prep_poll_remove(&r, 1, 2);
	EXPECT_EQ(-ENOENT, ring_run(&r));
	ring_exit(&r);
	close(fd);
}

TEST_F(multi, many_polls_and_a_full_ring_lose_nothing)
{
	enum { N = 40, ROUNDS = 30 };
	int fd = eventfd(0, 0), last[N] = { 0 }, events[N] = { 0 };
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 64, 0));
	for (int i = 0; i < N; i++)
		prep_multi(&r, fd, POLLIN, i);
	ASSERT_EQ(N, ring_submit(&r));
	for (int i = 0; i < ROUNDS; i++) {
		eventfd_add(fd, 1);
		ring_enter(&r, 0, 0, ARING_ENTER_GETEVENTS, NULL, 0);
	}
	/* 128 CQEs have room: three rounds and eight more, then the last of each */
	while (!ring_quiet(&r, 20)) {
		while (ring_reap(&r, &cqe)) {
			ASSERT_LT(cqe.user_data, N);
			EXPECT_EQ(POLLIN, cqe.res);
			EXPECT_EQ(0, last[cqe.user_data]);
			events[cqe.user_data]++;
			last[cqe.user_data] = !(cqe.flags & ARING_CQE_F_MORE);
		}
	}
	for (int i = 0, four = 0; i < N; i++) {
		CHECK_EQ(1, last[i], "poll %d", i);
		CHECK_TRUE(events[i] == 4 || events[i] == 5, "poll %d: %d", i,
			   events[i]);
		four += events[i] == 4;
		if (i == N - 1)
			EXPECT_EQ(N - 8, four);
	}
	ring_exit(&r);
	close(fd);
}

RING_FIXTURE(update);

TEST_F(update, remove_of_what_is_not_there)
{
	struct __kernel_timespec ts = to_ts(ms(100000));
	int fd = eventfd(0, 0), p[2];
	char b;

	prep_poll_remove(&self->r, 1, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	/* over, and its CQE not reaped */
	prep_poll(&self->r, fd, POLLOUT, 1);
	EXPECT_EQ(POLLOUT, ring_run(&self->r));
	prep_poll_remove(&self->r, 1, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_new_events(&self->r, 1, POLLIN, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_new_name(&self->r, 1, 3, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	/* other operations of that name are no polls */
	ASSERT_EQ(0, pipe(p));
	prep_timeout(&self->r, &ts, 0, 0, 1);
	prep_read(&self->r, p[0], &b, 1, 0, 1);
	ASSERT_EQ(2, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	prep_poll_remove(&self->r, 1, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_new_events(&self->r, 1, POLLIN, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_new_name(&self->r, 1, 3, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	/* a remover never finds itself */
	prep_poll_remove(&self->r, 2, 2);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	close(fd);
}

TEST_F(update, remove_takes_one_and_in_order)
{
	int fd = eventfd(0, 0);

	/* in one batch */
	prep_poll(&self->r, fd, POLLIN, 1);
	prep_poll_remove(&self->r, 1, 2);
	ASSERT_EQ(2, ring_submit(&self->r));
	NEXT(&self->r, 1, -ECANCELED, 0, "the poll");
	NEXT(&self->r, 2, 0, 0, "the first remover");
	prep_poll_remove(&self->r, 1, 3);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 3, -ENOENT, 0, "the second");
	/* a name in use twice */
	prep_poll(&self->r, fd, POLLIN, 1);
	prep_poll(&self->r, fd, POLLIN, 1);
	ASSERT_EQ(2, ring_submit(&self->r));
	prep_poll_remove(&self->r, 1, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, -ECANCELED, 0, "one of two");
	NEXT(&self->r, 2, 0, 0, "its remover");
	eventfd_add(fd, 1);
	NEXT(&self->r, 1, POLLIN, 0, "the other");
	EXPECT_TRUE(ring_quiet(&self->r, 5));
	close(fd);
}

/* The event came and its CQE is there: too late, by either name for it. */
TEST_F(update, remove_after_the_event)
{
	int fd = eventfd(0, 0);

	prep_poll(&self->r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	eventfd_add(fd, 1);
	prep_poll_remove(&self->r, 1, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, POLLIN, 0, "the event");
	NEXT(&self->r, 2, -ENOENT, 0, "the remover");
	close(fd);
}

TEST_F(update, events_that_are_not_ready)
{
	int sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	for (int multi = 0; multi < 2; multi++) {
		int more = multi ? MORE : 0;

		/* more events: PRI, then IN as well */
		prep_poll(&self->r, sv[0], POLLPRI, 1)->len = multi;
		ASSERT_EQ(1, ring_submit(&self->r));
		prep_new_events(&self->r, 1, POLLPRI | POLLIN, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		NEXT(&self->r, 2, 0, 0, "update, multishot %d", multi);
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		/* fewer: what is no longer asked for is not seen */
		prep_new_events(&self->r, 1, POLLPRI, 3);
		ASSERT_EQ(1, ring_submit(&self->r));
		NEXT(&self->r, 3, 0, 0, "update, multishot %d", multi);
		ASSERT_EQ(1, write(sv[1], "x", 1));
		EXPECT_TRUE(ring_quiet(&self->r, 10));
		source_drain(&(struct source) { .fd = sv[0] });
		prep_new_events(&self->r, 1, POLLIN, 4);
		ASSERT_EQ(1, ring_submit(&self->r));
		NEXT(&self->r, 4, 0, 0, "update, multishot %d", multi);
		ASSERT_EQ(1, write(sv[1], "x", 1));
		NEXT(&self->r, 1, POLLIN, more, "event, multishot %d", multi);
		source_drain(&(struct source) { .fd = sv[0] });
		prep_cancel(&self->r, 1, ARING_ASYNC_CANCEL_ALL, 5);
		ASSERT_EQ(1, ring_submit(&self->r));
		if (multi)
			BOTH(&self->r, 1, -ECANCELED, 5, 1, "multishot");
		else
			NEXT(&self->r, 5, 0, 0, "it was one-shot");
	}
	close(sv[0]);
	close(sv[1]);
}

/*
 * Ready at once. A one-shot's CQE is ahead of the update's; a multishot poll
 * is armed anew, and its event follows.
 */
TEST_F(update, events_that_are_ready)
{
	int fd = eventfd(0, 0);

	prep_poll(&self->r, fd, POLLPRI, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	prep_new_events(&self->r, 1, POLLOUT, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 1, POLLOUT, 0, "the poll");
	NEXT(&self->r, 2, 0, 0, "the update");
	prep_poll_remove(&self->r, 1, 3);
	EXPECT_EQ(-ENOENT, ring_run(&self->r));
	prep_multi(&self->r, fd, POLLPRI, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	prep_new_events(&self->r, 1, POLLOUT, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	EITHER(&self->r, 2, 0, 0, 1, POLLOUT, MORE, "more events");
	EXPECT_TRUE(ring_quiet(&self->r, 5));
	/* the same events again: an edge again */
	prep_new_events(&self->r, 1, POLLOUT, 3);
	ASSERT_EQ(1, ring_submit(&self->r));
	EITHER(&self->r, 3, 0, 0, 1, POLLOUT, MORE, "the same events");
	eventfd_add(fd, 1);
	EXPECT_TRUE(ring_quiet(&self->r, 5));
	close(fd);
}

TEST_F(update, a_new_name)
{
	int fd = eventfd(0, 0);

	for (int multi = 0; multi < 2; multi++) {
		int more = multi ? MORE : 0;

		prep_poll(&self->r, fd, POLLIN, 1)->len = multi;
		ASSERT_EQ(1, ring_submit(&self->r));
		prep_new_name(&self->r, 1, 7, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		NEXT(&self->r, 2, 0, 0, "update, multishot %d", multi);
		prep_poll_remove(&self->r, 1, 3);
		EXPECT_EQ(-ENOENT, ring_run(&self->r));
		prep_cancel(&self->r, 1, 0, 3);
		EXPECT_EQ(-ENOENT, ring_run(&self->r));
		eventfd_add(fd, 1);
		NEXT(&self->r, 7, POLLIN, more, "event, multishot %d", multi);
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		eventfd_clear(fd);
		/* the longest name, and 0 */
		prep_poll(&self->r, fd, POLLPRI, 0)->len = multi;
		prep_new_name(&self->r, 0, ~0ULL, 2);
		prep_new_name(&self->r, ~0ULL, 0, 3);
		ASSERT_EQ(3, ring_submit(&self->r));
		NEXT(&self->r, 2, 0, 0, "the longest");
		NEXT(&self->r, 3, 0, 0, "back");
		prep_poll_remove(&self->r, 0, 4);
		ASSERT_EQ(1, ring_submit(&self->r));
		NEXT(&self->r, 0, -ECANCELED, 0, "removed");
		NEXT(&self->r, 4, 0, 0, "remover");
	}
	close(fd);
}

TEST_F(update, a_new_name_and_new_events)
{
	int fd = eventfd(0, 0);
	struct aring_sqe *s;

	prep_poll(&self->r, fd, POLLPRI, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	s = prep_new_events(&self->r, 1, POLLIN, 2);
	s->len |= ARING_POLL_UPDATE_USER_DATA;
	s->off = 7;
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 2, 0, 0, "update");
	eventfd_add(fd, 1);
	NEXT(&self->r, 7, POLLIN, 0, "event");
	/* ready at once, under the new name already */
	prep_poll(&self->r, fd, POLLPRI, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	s = prep_new_events(&self->r, 1, POLLIN, 2);
	s->len |= ARING_POLL_UPDATE_USER_DATA;
	s->off = 8;
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 8, POLLIN, 0, "event");
	NEXT(&self->r, 2, 0, 0, "update");
	EXPECT_TRUE(ring_quiet(&self->r, 5));
	close(fd);
}

/* Naming arms anew, too: what is ready is reported, again if need be. */
TEST_F(update, a_new_name_while_ready)
{
	int fd = eventfd(0, 0);

	prep_multi(&self->r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	eventfd_add(fd, 1);
	NEXT(&self->r, 1, POLLIN, MORE, "event");
	prep_new_name(&self->r, 1, 7, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	EITHER(&self->r, 2, 0, 0, 7, POLLIN, MORE, "reported again");
	EXPECT_TRUE(ring_quiet(&self->r, 5));
	close(fd);
}

/*
 * ADD_MULTI in an update is taken and changes nothing: only the low 16 bits of
 * the events do. The manual has it otherwise.
 */
TEST_F(update, one_shot_and_multishot_stay_what_they_are)
{
	int fd = eventfd(0, 0);

	prep_poll(&self->r, fd, POLLPRI, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	prep_new_events(&self->r, 1, POLLIN, 2)->len |= ARING_POLL_ADD_MULTI;
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 2, 0, 0, "update");
	eventfd_add(fd, 1);
	NEXT(&self->r, 1, POLLIN, 0, "still one-shot");
	eventfd_add(fd, 1);
	EXPECT_TRUE(ring_quiet(&self->r, 5));
	eventfd_clear(fd);
	prep_multi(&self->r, fd, POLLPRI, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	prep_new_events(&self->r, 1, POLLIN | EPOLLONESHOT, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	NEXT(&self->r, 2, 0, 0, "update");
	for (int i = 0; i < 3; i++) {
		eventfd_add(fd, 1);
		NEXT(&self->r, 1, POLLIN, MORE, "still multishot");
	}
	close(fd);
}

TEST_F(update, every_source_is_updated)
{
	for (int kind = 0; kind < 2 * SOURCES; kind++) {
		const char *name = SOURCE[kind % SOURCES];
		int multi = kind >= SOURCES;
		struct source s;

		NEED_TRUE(source_open(&s, kind % SOURCES), "%s", name);
		prep_poll(&self->r, s.fd, POLLPRI, 1)->len = multi;
		ASSERT_EQ(1, ring_submit(&self->r));
		for (int i = 0; i < 3; i++) {
			prep_new_events(&self->r, 1, i & 1 ? POLLPRI : POLLIN,
					2);
			ASSERT_EQ(1, ring_submit(&self->r));
			NEXT(&self->r, 2, 0, 0, "%s, update %d", name, i);
		}
		source_fire(&s);
		NEXT(&self->r, 1, POLLIN, multi ? MORE : 0, "%s", name);
		EXPECT_TRUE(ring_quiet(&self->r, 5));
		prep_cancel(&self->r, 0, ARING_ASYNC_CANCEL_ANY, 3);
		ASSERT_EQ(1, ring_submit(&self->r));
		if (multi)
			BOTH(&self->r, 1, -ECANCELED, 3, 1, "%s", name);
		else
			NEXT(&self->r, 3, 0, 0, "%s", name);
		source_drain(&s);
		source_close(&s);
	}
}

TEST_F(update, bad_ones_are_refused)
{
	struct ring *r = &self->r;
	int fd = eventfd(0, 0);

	prep_poll(r, fd, POLLIN, 1);
	ASSERT_EQ(1, ring_submit(r));
	for (int bit = 3; bit < 32; bit++) {
		prep_poll_remove(r, 1, 2)->len = 1U << bit;
		CHECK_EQ(-EINVAL, ring_run(r), "flag %d", bit);
		prep_new_events(r, 1, POLLOUT, 2)->len |= 1U << bit;
		CHECK_EQ(-EINVAL, ring_run(r), "update and flag %d", bit);
	}
	prep_poll_remove(r, 1, 2)->len = ARING_POLL_ADD_MULTI;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll_remove(r, 1, 2)->off = 7;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_new_events(r, 1, POLLOUT, 2)->off = 7;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll_remove(r, 1, 2)->poll32_events = POLLIN;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_new_name(r, 1, 7, 2)->poll32_events = POLLIN;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll_remove(r, 1, 2)->buf_index = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll_remove(r, 1, 2)->splice_fd_in = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	prep_poll_remove(r, 1, 2)->ioprio = 1;
	EXPECT_EQ(-EINVAL, ring_run(r));
	/* with ADD_MULTI a new name is taken, too; and no file is looked at */
	prep_new_name(r, 1, 5, 2)->len |= ARING_POLL_ADD_MULTI;
	EXPECT_EQ(0, ring_run(r));
	prep_poll_remove(r, 5, 2)->fd = 12345;
	ASSERT_EQ(1, ring_submit(r));
	NEXT(r, 5, -ECANCELED, 0, "none of them touched it");
	NEXT(r, 2, 0, 0, "its remover");
	close(fd);
}

RING_TEST_MAIN
