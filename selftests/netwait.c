// SPDX-License-Identifier: MIT
/*
 * SEND, RECV, SENDMSG and RECVMSG that wait: in which order they end, how they
 * are taken back, what becomes of them when the ring or the process ends, and
 * that no byte is lost on the way.
 */
#include "duel.h"
#include "sock.h"

RING_FIXTURE(wait);

/* What waits in these tests. */
static const unsigned int OPS[] = {
	ARING_OP_RECV, ARING_OP_RECVMSG, ARING_OP_SEND, ARING_OP_SENDMSG,
};

static const char *const OP[] = { "RECV", "RECVMSG", "SEND", "SENDMSG" };

struct waiter {
	int sv[2];
	char b[64];
	struct iovec v;
	struct msghdr m;
	size_t queued;
};

/* Prepare operation @i so that it will wait. */
static struct aring_sqe *prep_waiter(struct __test_metadata *_metadata,
				     struct ring *r, struct waiter *w, int i,
				     int kind, __u64 ud)
{
	memset(w, 0, sizeof(*w));
	EXPECT_EQ(0, net_pair(kind, w->sv));
	w->v = (struct iovec) { w->b, sizeof(w->b) };
	w->m.msg_iov = &w->v;
	w->m.msg_iovlen = 1;
	if (i >= 2)
		w->queued = net_fill(w->sv[0]);
	return prep_net(r, OPS[i], w->sv[0], &w->m, 0, ud);
}

/* Of UDP a send never waits, and of TCP some buffer moves until it does. */
static bool waits_there(int i, int kind)
{
	return i < 2 || kind != ON_UDP;
}

/* Nothing was taken from the socket and nothing went into it. */
static void check_untouched(struct __test_metadata *_metadata, struct ring *r,
			    struct waiter *w, int i, int kind)
{
	char b[64] = "";

	if (i >= 2) {
		bool took = net_take(r, w->sv[1], w->queued);

		/* cppcheck-suppress arrayIndexOutOfBoundsCond */
		CHECK_TRUE(took, "%s, %s", OP[i], NET[kind]);
		return;
	}
	ASSERT_EQ(3, send(w->sv[1], "abc", 3, 0));
	CHECK_EQ(3, recv(w->sv[0], b, sizeof(b), 0), "%s, %s", OP[i],
		 NET[kind]);
	EXPECT_EQ(0, w->b[0]);
}

enum { BY_NAME, BY_FILE, BY_ANY, BY_NAME_ALL, BY_FILE_ALL, BY_USERDATA, FORMS };

static void prep_take_back(struct ring *r, struct waiter *w, int form)
{
	static const __u32 flags[] = {
		0, ARING_ASYNC_CANCEL_FD, ARING_ASYNC_CANCEL_ANY,
		ARING_ASYNC_CANCEL_ALL,
		ARING_ASYNC_CANCEL_FD | ARING_ASYNC_CANCEL_ALL,
		ARING_ASYNC_CANCEL_USERDATA,
	};
	struct aring_sqe *s = prep_cancel(r, 1, flags[form], 2);

	s->fd = w->sv[0];
}

TEST_F_TIMEOUT(wait, each_is_taken_back_in_each_way, 60)
{
	for (int n = 0; n < 4 * FORMS; n++) {
		int i = n % 4, form = n / 4;

		for (int kind = 0; kind < NETS; kind++) {
			bool counted = form >= BY_ANY && form <= BY_FILE_ALL;
			struct waiter w;

			if (!waits_there(i, kind))
				continue;
			prep_waiter(_metadata, &self->r, &w, i, kind, 1);
			NEED_EQ(1, ring_submit(&self->r), "%s", OP[i]);
			CHECK_TRUE(ring_quiet(&self->r, 2), "%s, %s", OP[i],
				   NET[kind]);
			prep_take_back(&self->r, &w, form);
			ASSERT_EQ(1, ring_submit(&self->r));
			BOTH(&self->r, 1, -ECANCELED, 2, counted,
			     "%s, %s, form %d", OP[i], NET[kind], form);
			if (form == 0)
				check_untouched(_metadata, &self->r, &w, i,
						kind);
			net_close(w.sv);
		}
	}
	EXPECT_TRUE(ring_quiet(&self->r, 10));
}

TEST_F(wait, sync_cancel)
{
	for (int i = 0; i < 4; i++) {
		struct aring_sync_cancel_reg reg = {
			.addr = 1, .timeout = { -1, -1 },
		};
		struct waiter w;
		int ret;

		for (int form = 0; form < 3; form++) {
			prep_waiter(_metadata, &self->r, &w, i, ON_UNIX, 1);
			ASSERT_EQ(1, ring_submit(&self->r));
			reg.fd = w.sv[0];
			reg.flags = form == 0 ? 0 : form == 1 ?
				ARING_ASYNC_CANCEL_FD : ARING_ASYNC_CANCEL_ANY;
			ret = ring_register(&self->r,
					    ARING_REGISTER_SYNC_CANCEL, &reg,
					    1);
			CHECK_EQ(form == 2, ret, "%s, form %d", OP[i], form);
			NEXT(&self->r, 1, -ECANCELED, 0, "%s, form %d", OP[i],
			     form);
			net_close(w.sv);
		}
	}
}

TEST_F(wait, async_ones_are_taken_back)
{
	for (int i = 0; i < 4; i++) {
		struct waiter w;

		prep_waiter(_metadata, &self->r, &w, i, ON_UNIX, 1)->flags =
			ARING_SQE_ASYNC;
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 50 * test_slow()), "%s",
			   OP[i]);
		prep_cancel(&self->r, 1, 0, 2);
		ASSERT_EQ(1, ring_submit(&self->r));
		BOTH(&self->r, 1, -ECANCELED, 2, 0, "%s", OP[i]);
		check_untouched(_metadata, &self->r, &w, i, ON_UNIX);
		net_close(w.sv);
	}
}

/* What was moved before the cancel is the result, and is not moved twice. */
TEST_F(wait, a_part_is_the_result_of_what_is_taken_back)
{
	for (int kind = 0; kind < STREAMS; kind++) {
		for (int msg = 0; msg < 2; msg++) {
			int verdict = RES_NONE, res = RES_NONE;
			struct aring_cqe cqe;
			struct waiter w;
			char b[64] = "";

			prep_waiter(_metadata, &self->r, &w, msg, kind,
				    1)->msg_flags = MSG_WAITALL;
			ASSERT_EQ(1, ring_submit(&self->r));
			ASSERT_EQ(5, send(w.sv[1], "hello", 5, 0));
			EXPECT_TRUE(ring_quiet(&self->r, 20));
			prep_cancel(&self->r, 1, 0, 2);
			ASSERT_EQ(1, ring_submit(&self->r));
			for (int k = 0; k < 2; k++) {
				ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
				*(cqe.user_data == 2 ? &verdict : &res) =
					cqe.res;
			}
			CHECK_EQ(5, res, "%s, %s", OP[msg], NET[kind]);
			/*
			 * To io_uring it was taken back. It had started, though,
			 * and the device may say so.
			 */
			CHECK_TRUE(verdict == 0 || (verdict == -EALREADY &&
						    variant->backend == DEVICE),
				   "%s, %s: %d", OP[msg], NET[kind], verdict);
			EXPECT_STREQ("hello", w.b);
			ASSERT_EQ(3, send(w.sv[1], "xyz", 3, 0));
			ASSERT_EQ(3, recv(w.sv[0], b, sizeof(b), 0));
			EXPECT_STREQ("xyz", b);
			net_close(w.sv);
		}
	}
}

TEST_F(wait, a_part_that_was_sent_is_the_result)
{
	unsigned int len = 4 << 20;
	char *big = calloc(1, len);
	int verdict = RES_NONE, res = RES_NONE, sv[2];
	struct aring_cqe cqe;

	ASSERT_EQ(0, net_pair(ON_UNIX, sv));
	prep_send(&self->r, sv[0], big, len, MSG_WAITALL, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 20));
	prep_cancel(&self->r, 1, 0, 2);
	ASSERT_EQ(1, ring_submit(&self->r));
	for (int k = 0; k < 2; k++) {
		ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
		*(cqe.user_data == 2 ? &verdict : &res) = cqe.res;
	}
	EXPECT_TRUE(verdict == 0 || (verdict == -EALREADY &&
				     variant->backend == DEVICE));
	EXPECT_GT(res, 0);
	EXPECT_LT(res, (int)len);
	EXPECT_TRUE(net_take(&self->r, sv[1], res));
	net_close(sv);
	free(big);
}

/* Several that wait at one socket get what comes in the order they came. */
TEST_F(wait, several_at_one_socket_are_served_in_order)
{
	enum { N = 20 };

	for (int kind = 0; kind < NETS; kind++) {
		/* where the device may use a thread it promises no order */
		bool ordered = variant->backend == IO_URING ||
			       (kind != ON_TCP && kind != ON_UDP);
		struct aring_cqe cqe;
		char b[N];
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		for (int i = 0; i < N; i++)
			prep_recv(&self->r, sv[0], &b[i], 1, 0, i);
		ASSERT_EQ(N, ring_submit(&self->r));
		EXPECT_TRUE(ring_quiet(&self->r, 10));
		for (int i = 0; i < N; i++) {
			char c = 'a' + i;

			ASSERT_EQ(1, send(sv[1], &c, 1, 0));
			if (!ordered) {
				ASSERT_EQ(0, ring_cqe(&self->r, &cqe));
				CHECK_EQ(1, cqe.res, "%s, %d", NET[kind], i);
				ASSERT_LT(cqe.user_data, N);
				CHECK_EQ(c, b[cqe.user_data], "%s, %d",
					 NET[kind], i);
				continue;
			}
			NEXT(&self->r, i, 1, 0, "%s, %d", NET[kind], i);
			CHECK_EQ(c, b[i], "%s, %d", NET[kind], i);
			CHECK_EQ(0, ring_ready(&self->r), "%s, %d", NET[kind],
				 i);
		}
		net_close(sv);
	}
}

/* All at once, each gets its own part and nothing is left over. */
TEST_F(wait, several_at_one_socket_share_what_comes)
{
	enum { N = 30 };

	for (int kind = 0; kind < STREAMS; kind++) {
		char b[N], seen[N] = { 0 }, text[N];
		struct aring_cqe cqe;
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		for (int i = 0; i < N; i++) {
			text[i] = i;
			prep_recv(&self->r, sv[0], &b[i], 1, 0, i);
		}
		ASSERT_EQ(N, ring_submit(&self->r));
		ASSERT_EQ(N, send(sv[1], text, N, 0));
		for (int i = 0; i < N; i++) {
			NEED_EQ(0, ring_cqe(&self->r, &cqe), "%s, %d",
				NET[kind], i);
			ASSERT_EQ(1, cqe.res);
		}
		for (int i = 0; i < N; i++) {
			ASSERT_LT(b[i], N);
			EXPECT_EQ(0, seen[(int)b[i]]++);
		}
		net_close(sv);
	}
}

/* How long a byte takes to be written for which @n wait, another in front of them. */
static __u64 wake_many(struct __test_metadata *_metadata, enum backend backend,
		       unsigned int n, bool front)
{
	int a[2], b[2];
	static char c;
	struct ring r;
	__u64 took;

	EXPECT_EQ(0, ring_init(&r, backend, 1024, 0));
	EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	prep_recv(&r, a[0], &c, 1, 0, 0);
	for (unsigned int i = 1; i <= n; i++) {
		prep_recv(&r, b[0], &c, 1, 0, i);
		if (i % 1024 == 1023 || i == n)
			EXPECT_LT(0, ring_submit(&r));
	}
	if (front)
		EXPECT_EQ(1, write(a[1], "x", 1));
	took = now_ns();
	EXPECT_EQ(1, write(b[1], "x", 1));
	took = now_ns() - took;
	ring_exit(&r);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
	return took;
}

/* They are woken last first: that must not cost the writer the square of it. */
TEST_F_TIMEOUT(wait, many_are_woken_behind_another, 120)
{
	unsigned int n = test_scale(16000, 2000);
	__u64 alone, behind = 0;

	/* The machine may have had other things to do. */
	for (int tries = 3; tries; tries--) {
		alone = wake_many(_metadata, variant->backend, n, false);
		behind = wake_many(_metadata, variant->backend, n, true);
		printf("# %u waiting: woken in %llu us, behind another in %llu us\n",
		       n, alone / 1000, behind / 1000);
		if (behind <= 5 * alone + ms(100) * test_slow())
			break;
	}
	EXPECT_LE(behind, 5 * alone + ms(100) * test_slow());
}

TEST_F_TIMEOUT(wait, a_thousand_wait_and_are_served_at_random, 120)
{
	unsigned int n = test_scale(1000, 200), seed = 1, kind;
	int (*sv)[2] = calloc(n, sizeof(*sv));
	unsigned int *order = calloc(n, sizeof(*order));
	char *b = calloc(n, 8);
	struct aring_cqe cqe;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 1024, 0));
	for (unsigned int i = 0; i < n; i++) {
		kind = i % 8 == 0 ? ON_TCP : i % 8 == 1 ? ON_UDP : ON_UNIX;
		NEED_EQ(0, net_pair(kind, sv[i]), "pair %u", i);
		prep_recv(&r, sv[i][0], b + 8 * i, 8, 0, i);
		order[i] = i;
	}
	ASSERT_EQ(n, ring_submit(&r));
	EXPECT_TRUE(ring_quiet(&r, 20));
	EXPECT_EQ(0, peer_workers(&r));
	for (unsigned int i = n - 1; i; i--) {
		unsigned int k = rand_r(&seed) % (i + 1), t = order[i];

		order[i] = order[k];
		order[k] = t;
	}
	for (unsigned int i = 0; i < n; i++) {
		unsigned int *o = &order[i];

		ASSERT_EQ(4, send(sv[*o][1], o, 4, 0));
		NEED_EQ(0, ring_cqe(&r, &cqe), "%u of %u", i, n);
		NEED_EQ(*o, cqe.user_data, "%u of %u", i, n);
		EXPECT_EQ(4, cqe.res);
		EXPECT_EQ(0, memcmp(b + 8 * *o, o, 4));
	}
	EXPECT_EQ(0, ring_ready(&r));
	ring_exit(&r);
	for (unsigned int i = 0; i < n; i++)
		net_close(sv[i]);
	free(sv);
	free(order);
	free(b);
}

/*
 * Woken, and what had come is taken by a plain recv(2): it waits on. The ring
 * does not interrupt the thread that spins, so the thief mostly is the first.
 */
struct thief {
	int fd, from, thread_go, done;
	int stolen;
};

static void *steal(void *arg)
{
	struct thief *t = arg;
	char c;

	if (send(t->from, "s", 1, 0) != 1)
		abort();
	t->stolen = recv(t->fd, &c, 1, MSG_DONTWAIT) == 1;
	__atomic_store_n(&t->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

TEST_F(wait, data_is_stolen_and_it_waits_on)
{
	int stolen = 0;
	struct ring r;

	ASSERT_EQ(0, ring_init(&r, variant->backend, 8,
			       ARING_SETUP_COOP_TASKRUN));
	for (int round = 0; round < 40; round++) {
		struct thief t = { 0 };
		char b[8] = "";
		pthread_t p;
		int sv[2];

		ASSERT_EQ(0, net_pair(round & 1 ? ON_TCP : ON_UNIX, sv));
		prep_recv(&r, sv[0], b, 8, 0, 1);
		ASSERT_EQ(1, ring_submit(&r));
		t.fd = sv[0];
		t.from = sv[1];
		ASSERT_EQ(0, pthread_create(&p, NULL, steal, &t));
		while (!__atomic_load_n(&t.done, __ATOMIC_ACQUIRE))
			;
		if (t.stolen) {
			stolen++;
			CHECK_TRUE(ring_quiet(&r, 10), "round %d", round);
			EXPECT_EQ(0, peer_workers(&r));
			ASSERT_EQ(2, send(sv[1], "ok", 2, 0));
			NEXT(&r, 1, 2, 0, "round %d", round);
			EXPECT_STREQ("ok", b);
		} else {
			NEXT(&r, 1, 1, 0, "round %d", round);
			EXPECT_STREQ("s", b);
		}
		pthread_join(p, NULL);
		net_close(sv);
	}
	printf("# stolen %d times of 40\n", stolen);
	EXPECT_GT(stolen, 0);
	ring_exit(&r);
}

/* The peer sees the end of the stream when nobody holds the socket any more. */
static bool peer_goes(int fd)
{
	__u64 end = now_ns() + ms(10000) * test_slow();
	char b[64];
	ssize_t n;

	for (;;) {
		n = recv(fd, b, sizeof(b), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return true;
		if (n < 0 && now_ns() > end)
			return false;
		if (n < 0)
			usleep(2000);
	}
}

TEST_F(wait, closing_the_ring_drops_what_waits)
{
	for (int kind = 0; kind < STREAMS; kind++) {
		for (int i = 0; i < 4; i++) {
			struct waiter w;
			struct ring r;

			ASSERT_EQ(0, ring_init(&r, variant->backend, 8, 0));
			prep_waiter(_metadata, &r, &w, i, kind, 1);
			ASSERT_EQ(1, ring_submit(&r));
			close(w.sv[0]);
			/* it holds the socket */
			if (i < 2)
				EXPECT_EQ(1, send(w.sv[1], "x", 1,
						  MSG_NOSIGNAL));
			ring_exit(&r);
			CHECK_TRUE(peer_goes(w.sv[1]), "%s, %s", OP[i],
				   NET[kind]);
			close(w.sv[1]);
		}
	}
}

TEST_F(wait, killed_while_they_wait)
{
	for (int kind = 0; kind < STREAMS; kind++) {
		int sv[2], go[2];
		pid_t pid;
		char c;

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		ASSERT_EQ(0, pipe(go));
		pid = fork();
		if (pid == 0) {
			char b[100][8];
			struct ring r;

			if (ring_init(&r, variant->backend, 128, 0))
				_exit(1);
			close(sv[1]);
			for (int i = 0; i < 100; i++)
				prep_recv(&r, sv[0], b[i], 8, MSG_WAITALL, i);
			if (ring_submit(&r) != 100 || write(go[1], "x", 1) != 1)
				_exit(2);
			close(sv[0]);
			for (;;)
				ring_enter(&r, 0, 1, ARING_ENTER_GETEVENTS,
					   NULL, 0);
		}
		close(sv[0]);
		ASSERT_EQ(1, read(go[0], &c, 1));
		EXPECT_EQ(3, send(sv[1], "abc", 3, 0));
		usleep(10000);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		CHECK_TRUE(peer_goes(sv[1]), "%s", NET[kind]);
		close(sv[1]);
		close(go[0]);
		close(go[1]);
	}
}

/* One thread waits in ENTER, another submits and sends. */
struct reaper {
	struct ring *r;
	unsigned long n, got, bytes;
};

static void *reap_all(void *arg)
{
	struct reaper *x = arg;
	struct aring_cqe cqe;

	while (x->got < x->n && !ring_cqe(x->r, &cqe)) {
		x->got++;
		if (cqe.res > 0)
			x->bytes += cqe.res;
	}
	return NULL;
}

TEST_F_TIMEOUT(wait, another_thread_waits_for_them, 60)
{
	unsigned long n = test_scale(3000, 200);

	for (int kind = 0; kind < STREAMS; kind++) {
		struct reaper x = { .r = &self->r, .n = n };
		static char b[64][8];
		pthread_t t;
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		ASSERT_EQ(0, pthread_create(&t, NULL, reap_all, &x));
		for (unsigned long i = 0; i < n; i++) {
			prep_recv(&self->r, sv[0], b[i % 64], 1, 0, i);
			NEED_EQ(1, ring_submit(&self->r), "round %lu", i);
			ASSERT_EQ(1, send(sv[1], "x", 1, 0));
		}
		pthread_join(t, NULL);
		CHECK_EQ(n, x.got, "%s", NET[kind]);
		CHECK_EQ(n, x.bytes, "%s", NET[kind]);
		net_close(sv);
	}
}

/* A cancel against the data: whoever wins, each byte is received once. */
struct sender {
	int fd;
	unsigned int go, stop, sent, delay;
};

static void *send_on_go(void *arg)
{
	struct sender *s = arg;

	pin_to_cpu(1);
	for (;;) {
		unsigned int idle = 0;
		unsigned char c;

		while (__atomic_load_n(&s->go, __ATOMIC_ACQUIRE) == s->sent) {
			if (__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
				return NULL;
			if (++idle % 4096 == 0)
				sched_yield();
		}
		relax(s->delay);
		c = s->sent;
		if (send(s->fd, &c, 1, 0) != 1)
			abort();
		__atomic_store_n(&s->sent, s->sent + 1, __ATOMIC_RELEASE);
	}
}

static bool pair_allowed(int verdict, int target, enum backend backend)
{
	if (verdict == -EALREADY)
		return target == 1 || target == -ECANCELED;
	if (verdict == -ENOENT)
		return target == 1;
	/* io_uring may find what is about to end on its own */
	return verdict == 0 && (target == -ECANCELED ||
				(backend == IO_URING && target == 1));
}

TEST_F_TIMEOUT(wait, data_against_a_cancel, 120)
{
	unsigned long n = test_scale(10000, 500);

	pin_to_cpu(0);
	for (int kind = 0; kind < STREAMS; kind++) {
		struct lead lead = { 0 };
		struct sender s = { 0 };
		pthread_t t;
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		s.fd = sv[1];
		ASSERT_EQ(0, pthread_create(&t, NULL, send_on_go, &s));
		for (unsigned long i = 0; lead_goes_on(&lead, n); i++) {
			int verdict = RES_NONE, target = RES_NONE;
			struct aring_cqe cqe;
			unsigned char c = ~i;

			prep_recv(&self->r, sv[0], &c, 1, 0, 1);
			ASSERT_EQ(1, ring_submit(&self->r));
			prep_cancel(&self->r, 1, 0, 2);
			s.delay = i * 37 % 2000 + lead_of_event(&lead);
			__atomic_store_n(&s.go, i + 1, __ATOMIC_RELEASE);
			relax(lead_of_cancel(&lead));
			ASSERT_EQ(1, ring_submit(&self->r));
			for (int k = 0; k < 2; k++) {
				NEED_EQ(0, ring_cqe(&self->r, &cqe),
					"%s, round %lu: %d, %d", NET[kind], i,
					verdict, target);
				*(cqe.user_data == 2 ? &verdict : &target) =
					cqe.res;
			}
			NEED_TRUE(pair_allowed(verdict, target,
					       variant->backend),
				  "%s, round %lu: cancel %d, target %d",
				  NET[kind], i, verdict, target);
			if (target != 1)
				ASSERT_EQ(1, recv(sv[0], &c, 1, 0));
			NEED_EQ(i & 255, c, "%s, round %lu", NET[kind], i);
			lead_shift(&lead, target != 1);
		}
		__atomic_store_n(&s.stop, 1, __ATOMIC_RELAXED);
		pthread_join(t, NULL);
		printf("# %s: taken back %lu, received %lu\n", NET[kind],
		       lead.taken, lead.lost);
		EXPECT_GT(lead.taken, n / DUEL_SHARE);
		EXPECT_GT(lead.lost, n / DUEL_SHARE);
		net_close(sv);
	}
}

/* What only the device has. */
DEVICE_FIXTURE(ticket);

TEST_F(ticket, names_one_of_several)
{
	for (int i = 0; i < 4; i++) {
		__u32 first = self->r.tail;
		struct waiter w[3];

		for (int k = 0; k < 3; k++)
			prep_waiter(_metadata, &self->r, &w[k], i, ON_UNIX, 7);
		ASSERT_EQ(3, ring_submit(&self->r));
		for (int k = 0; k < 3; k++) {
			prep_cancel(&self->r, first + (k + 1) % 3,
				    ARING_ASYNC_CANCEL_TICKET, 2);
			ASSERT_EQ(1, ring_submit(&self->r));
			BOTH(&self->r, 7, -ECANCELED, 2, 0, "%s, %d", OP[i],
			     k);
			prep_cancel(&self->r, first + (k + 1) % 3,
				    ARING_ASYNC_CANCEL_TICKET, 2);
			CHECK_EQ(-ENOENT, ring_run(&self->r), "%s", OP[i]);
		}
		for (int k = 0; k < 3; k++)
			net_close(w[k].sv);
	}
}

RING_TEST_MAIN
