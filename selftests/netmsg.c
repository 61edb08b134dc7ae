// SPDX-License-Identifier: MIT
/*
 * SENDMSG and RECVMSG: addresses, control data, and whose memory is used when.
 */
#include "sock.h"
#include <linux/errqueue.h>
#include <poll.h>

RING_FIXTURE(msg);

/* A message with one buffer and room for control data. */
struct one {
	struct msghdr m;
	struct iovec v;
	char b[64];
	char c[256] __attribute__((aligned(8)));
};

static struct msghdr *one(struct one *o, const char *text)
{
	memset(o, 0, sizeof(*o));
	o->v = (struct iovec) { o->b, text ? strlen(text) : sizeof(o->b) };
	if (text)
		memcpy(o->b, text, strlen(text));
	o->m.msg_iov = &o->v;
	o->m.msg_iovlen = 1;
	return &o->m;
}

static struct msghdr *one_with_room(struct one *o)
{
	one(o, NULL);
	o->m.msg_control = o->c;
	o->m.msg_controllen = sizeof(o->c);
	return &o->m;
}

static void put_cmsg(struct one *o, int level, int type, const void *data,
		     size_t len)
{
	struct cmsghdr *c = (void *)o->c;

	o->m.msg_control = o->c;
	o->m.msg_controllen = CMSG_SPACE(len);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
}

/* The data of the first control message of that type, or NULL. */
static void *get_cmsg(struct one *o, int level, int type)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(&o->m); c; c = CMSG_NXTHDR(&o->m, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return CMSG_DATA(c);
	return NULL;
}

static int got_fd(struct one *o)
{
	int *p = get_cmsg(o, SOL_SOCKET, SCM_RIGHTS);

	return p ? *p : -1;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

TEST_F(msg, names_on_udp)
{
	struct sockaddr_in a[2], where, from;
	struct ring *r = &self->r;
	struct one o, i;
	int fd[2];

	for (int k = 0; k < 2; k++) {
		fd[k] = udp_socket(&a[k]);
		ASSERT_GE(fd[k], 0);
	}
	for (int wait = 0; wait < 2; wait++) {
		one(&i, NULL);
		memset(&from, 0, sizeof(from));
		i.m.msg_name = &from;
		i.m.msg_namelen = sizeof(from) + 50;
		i.m.msg_flags = 0x1234;
		if (wait) {
			prep_recvmsg(r, fd[1], &i.m, 0, 2);
			ASSERT_EQ(1, ring_submit(r));
			EXPECT_TRUE(ring_quiet(r, 5));
		}
		one(&o, "hello");
		where = a[1];
		o.m.msg_name = &where;
		o.m.msg_namelen = sizeof(where);
		prep_sendmsg(r, fd[0], &o.m, 0, 1);
		ASSERT_EQ(1, ring_submit(r));
		if (!wait) {
			NEXT(r, 1, 5, 0, "sent");
			prep_recvmsg(r, fd[1], &i.m, 0, 2);
			EXPECT_EQ(5, ring_run(r));
		} else {
			BOTH(r, 1, 5, 2, 5, "sent and received");
		}
		EXPECT_EQ(a[0].sin_port, from.sin_port);
		EXPECT_EQ(sizeof(from), i.m.msg_namelen);
		EXPECT_EQ(0, i.m.msg_flags);
		EXPECT_EQ(0, i.m.msg_controllen);
		EXPECT_STREQ("hello", i.b);
	}
	close(fd[0]);
	close(fd[1]);
}

TEST_F(msg, less_room_than_there_is)
{
	struct sockaddr_in a[2], from;
	struct ring *r = &self->r;
	struct one i;
	int fd[2];

	for (int k = 0; k < 2; k++) {
		fd[k] = udp_socket(&a[k]);
		ASSERT_GE(fd[k], 0);
	}
	/* for the name, and for the data */
	ASSERT_EQ(9, sendto(fd[0], "abcdefghi", 9, 0, (void *)&a[1],
			    sizeof(a[1])));
	one(&i, NULL);
	memset(&from, 0, sizeof(from));
	i.m.msg_name = &from;
	i.m.msg_namelen = 4;
	i.v.iov_len = 3;
	prep_recvmsg(r, fd[1], &i.m, 0, 2);
	EXPECT_EQ(3, ring_run(r));
	EXPECT_EQ(sizeof(from), i.m.msg_namelen);
	EXPECT_EQ(a[0].sin_port, from.sin_port);
	EXPECT_EQ(0, from.sin_addr.s_addr);
	EXPECT_EQ(MSG_TRUNC, i.m.msg_flags);
	/* the true length */
	ASSERT_EQ(9, sendto(fd[0], "abcdefghi", 9, 0, (void *)&a[1],
			    sizeof(a[1])));
	one(&i, NULL);
	i.v.iov_len = 3;
	prep_recvmsg(r, fd[1], &i.m, MSG_TRUNC, 2);
	EXPECT_EQ(9, ring_run(r));
	EXPECT_EQ(MSG_TRUNC, i.m.msg_flags);
	close(fd[0]);
	close(fd[1]);
}

TEST_F(msg, seqpacket_marks_its_records)
{
	struct one o, i;
	int sv[2];

	ASSERT_EQ(0, net_pair(ON_SEQPACKET, sv));
	prep_sendmsg(&self->r, sv[0], one(&o, "hello"), MSG_EOR, 1);
	EXPECT_EQ(5, ring_run(&self->r));
	one(&i, NULL)->msg_iov->iov_len = 2;
	prep_recvmsg(&self->r, sv[1], &i.m, 0, 1);
	EXPECT_EQ(2, ring_run(&self->r));
	EXPECT_EQ(MSG_TRUNC, i.m.msg_flags & MSG_TRUNC);
	net_close(sv);
}

TEST_F(msg, a_descriptor_is_sent_and_received)
{
	static const int kinds[] = { ON_UNIX, ON_SEQPACKET, ON_DGRAM };

	for (int n = 0; n < 6; n++) {
		int kind = kinds[n / 2], sv[2], fd, file;
		bool cloexec = n & 1;
		struct one o, i;

		file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
		ASSERT_GE(file, 0);
		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		one(&o, "x");
		put_cmsg(&o, SOL_SOCKET, SCM_RIGHTS, &file, sizeof(file));
		prep_sendmsg(&self->r, sv[0], &o.m, 0, 1);
		CHECK_EQ(1, ring_run(&self->r), "%s", NET[kind]);
		prep_recvmsg(&self->r, sv[1], one_with_room(&i),
			     cloexec ? MSG_CMSG_CLOEXEC : 0, 2);
		CHECK_EQ(1, ring_run(&self->r), "%s", NET[kind]);
		EXPECT_EQ(CMSG_SPACE(sizeof(int)), i.m.msg_controllen);
		EXPECT_EQ(cloexec ? MSG_CMSG_CLOEXEC : 0, i.m.msg_flags);
		fd = got_fd(&i);
		NEED_TRUE(fd >= 0 && fd != file, "%s", NET[kind]);
		CHECK_TRUE(same_file(fd, file), "%s", NET[kind]);
		EXPECT_EQ(cloexec ? FD_CLOEXEC : 0, fcntl(fd, F_GETFD));
		close(fd);
		close(file);
		net_close(sv);
	}
}

/*
 * It comes while the thread sleeps in ENTER, or while it waits for the ring
 * to become readable: the descriptor appears in the process's table.
 */
struct late {
	int fd, file;
};

static void *send_late(void *arg)
{
	struct late *l = arg;
	struct one o;

	usleep(20000);
	one(&o, "x");
	put_cmsg(&o, SOL_SOCKET, SCM_RIGHTS, &l->file, sizeof(int));
	if (sendmsg(l->fd, &o.m, 0) != 1)
		abort();
	return NULL;
}

TEST_F(msg, a_descriptor_that_was_waited_for)
{
	for (int n = 0; n < 12; n++) {
		static const int kinds[] = { ON_UNIX, ON_SEQPACKET, ON_DGRAM };
		int kind = kinds[n % 3], how = n / 3, sv[2], fd;
		struct late l;
		struct one i;
		pthread_t t;

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		l.file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
		l.fd = sv[0];
		prep_recvmsg(&self->r, sv[1], one_with_room(&i), 0, 2)->flags =
			how == 3 ? ARING_SQE_ASYNC : 0;
		if (how == 2)
			self->r.sqes[(self->r.tail - 1) & 63].ioprio =
				ARING_RECVSEND_POLL_FIRST;
		ASSERT_EQ(1, ring_submit(&self->r));
		/* one message with no control data would have done as well */
		ASSERT_EQ(0, pthread_create(&t, NULL, send_late, &l));
		if (how == 1) {
			struct pollfd p = { self->r.fd, POLLIN, 0 };
			int ret;

			do {
				ret = poll(&p, 1, 5000 * test_slow());
			} while (ret < 0 && errno == EINTR);
			CHECK_EQ(1, ret, "%s", NET[kind]);
		}
		NEXT(&self->r, 2, 1, 0, "%s, how %d", NET[kind], how);
		pthread_join(t, NULL);
		fd = got_fd(&i);
		NEED_TRUE(fd >= 0 && fd != l.file, "%s, how %d", NET[kind],
			  how);
		CHECK_TRUE(same_file(fd, l.file), "%s", NET[kind]);
		close(fd);
		close(l.file);
		net_close(sv);
	}
}

/* What is on its way holds the file; the sender's descriptor may go. */
TEST_F(msg, a_descriptor_sent_into_a_full_socket)
{
	int sv[2], file = open("/tmp", O_TMPFILE | O_RDWR, 0600), copy;
	struct one o, i;
	ssize_t n;

	ASSERT_EQ(0, net_pair(ON_UNIX, sv));
	net_fill(sv[0]);
	copy = dup(file);
	one(&o, "x");
	put_cmsg(&o, SOL_SOCKET, SCM_RIGHTS, &copy, sizeof(int));
	prep_sendmsg(&self->r, sv[0], &o.m, 0, 1);
	ASSERT_EQ(1, ring_submit(&self->r));
	EXPECT_TRUE(ring_quiet(&self->r, 10));
	/* the control data itself is the program's to keep until the CQE */
	net_drain(sv[1]);
	one_with_room(&i);
	NEXT(&self->r, 1, 1, 0, "sent");
	n = recvmsg(sv[1], &i.m, MSG_DONTWAIT);
	/* else it was among what was drained, and its descriptor with it */
	if (n == 1) {
		EXPECT_TRUE(same_file(got_fd(&i), file));
		close(got_fd(&i));
	}
	net_close(sv);
	close(copy);
	close(file);
}

TEST_F(msg, credentials_are_the_submitters)
{
	int on = 1, sv[2];

	for (int n = 0; n < 4; n++) {
		struct ucred me = { getpid(), getuid(), getgid() }, *seen;
		struct one o, i;

		ASSERT_EQ(0, net_pair(ON_UNIX, sv));
		ASSERT_EQ(0, setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on,
					sizeof(on)));
		/* given, or filled in by the kernel; also of plain SEND */
		one(&o, "x");
		if (n & 1)
			put_cmsg(&o, SOL_SOCKET, SCM_CREDENTIALS, &me,
				 sizeof(me));
		if (n < 2)
			prep_sendmsg(&self->r, sv[0], &o.m, 0, 1);
		else
			prep_send(&self->r, sv[0], "x", 1, 0, 1);
		if (n == 3)
			self->r.sqes[(self->r.tail - 1) & 63].flags =
				ARING_SQE_ASYNC;
		CHECK_EQ(1, ring_run(&self->r), "%d", n);
		prep_recvmsg(&self->r, sv[1], one_with_room(&i), 0, 2);
		CHECK_EQ(1, ring_run(&self->r), "%d", n);
		seen = get_cmsg(&i, SOL_SOCKET, SCM_CREDENTIALS);
		NEED_TRUE(seen, "%d", n);
		CHECK_EQ(getpid(), seen->pid, "%d", n);
		EXPECT_EQ(getuid(), seen->uid);
		net_close(sv);
	}
	/* those of somebody else are not to be had */
	if (fork() == 0) {
		struct ucred init = { 1, 0, 0 };
		struct ring r;
		struct one o;
		int ret;

		if (ring_init(&r, variant->backend, 8, 0) || setgid(65534) ||
		    setuid(65534) || net_pair(ON_UNIX, sv))
			_exit(1);
		one(&o, "x");
		put_cmsg(&o, SOL_SOCKET, SCM_CREDENTIALS, &init, sizeof(init));
		prep_sendmsg(&r, sv[0], &o.m, 0, 1);
		ret = ring_run(&r);
		_exit(ret == -EPERM ? 0 : 2);
	}
	{
		int status;

		ASSERT_GT(wait(&status), 0);
		EXPECT_EQ(0, status);
	}
}

TEST_F(msg, control_data_on_udp)
{
	struct sockaddr_in a[2], from = { 0 };
	struct in_pktinfo want = { 0 }, *info;
	int fd[2], on = 1;

	for (int k = 0; k < 2; k++) {
		fd[k] = udp_socket(&a[k]);
		ASSERT_GE(fd[k], 0);
	}
	close(fd[0]);
	fd[0] = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, setsockopt(fd[1], IPPROTO_IP, IP_PKTINFO, &on,
				sizeof(on)));
	ASSERT_EQ(0, setsockopt(fd[1], SOL_SOCKET, SO_TIMESTAMP, &on,
				sizeof(on)));
	for (int wait = 0; wait < 2; wait++) {
		struct one o, i;

		one_with_room(&i);
		i.m.msg_name = &from;
		i.m.msg_namelen = sizeof(from);
		prep_recvmsg(&self->r, fd[1], &i.m, 0, 2);
		if (wait)
			ASSERT_EQ(1, ring_submit(&self->r));
		/* where it is sent from is in the control data */
		one(&o, "x");
		o.m.msg_name = &a[1];
		o.m.msg_namelen = sizeof(a[1]);
		want.ipi_spec_dst.s_addr = htonl(0x7f000002);
		put_cmsg(&o, IPPROTO_IP, IP_PKTINFO, &want, sizeof(want));
		prep_sendmsg(&self->r, fd[0], &o.m, 0, 1);
		ASSERT_EQ(wait ? 1 : 2, ring_submit(&self->r));
		BOTH(&self->r, 1, 1, 2, 1, "wait %d", wait);
		CHECK_EQ(htonl(0x7f000002), from.sin_addr.s_addr, "wait %d",
			 wait);
		info = get_cmsg(&i, IPPROTO_IP, IP_PKTINFO);
		NEED_TRUE(info, "wait %d", wait);
		EXPECT_EQ(htonl(INADDR_LOOPBACK), info->ipi_addr.s_addr);
		EXPECT_NE(NULL, get_cmsg(&i, SOL_SOCKET, SO_TIMESTAMP));
		EXPECT_EQ(0, i.m.msg_flags);
	}
	/* what does not make sense */
	{
		struct one o;

		one(&o, "x");
		o.m.msg_name = &a[1];
		o.m.msg_namelen = sizeof(a[1]);
		put_cmsg(&o, IPPROTO_IP, 12345, &want, sizeof(want));
		prep_sendmsg(&self->r, fd[0], &o.m, 0, 1);
		EXPECT_EQ(-EINVAL, ring_run(&self->r));
		put_cmsg(&o, IPPROTO_IP, IP_PKTINFO, &want, sizeof(want));
		((struct cmsghdr *)o.c)->cmsg_len = 5;
		prep_sendmsg(&self->r, fd[0], &o.m, 0, 1);
		EXPECT_EQ(-EINVAL, ring_run(&self->r));
	}
	close(fd[0]);
	close(fd[1]);
}

TEST_F(msg, too_little_room_for_control_data)
{
	int sv[2], file = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	for (int room = 0; room < 2; room++) {
		struct one o, i;

		ASSERT_EQ(0, net_pair(ON_UNIX, sv));
		one(&o, "x");
		put_cmsg(&o, SOL_SOCKET, SCM_RIGHTS, &file, sizeof(int));
		prep_sendmsg(&self->r, sv[0], &o.m, 0, 1);
		EXPECT_EQ(1, ring_run(&self->r));
		one(&i, NULL);
		i.m.msg_control = i.c;
		i.m.msg_controllen = room ? CMSG_LEN(0) : 0;
		prep_recvmsg(&self->r, sv[1], &i.m, 0, 2);
		EXPECT_EQ(1, ring_run(&self->r));
		CHECK_EQ(MSG_CTRUNC, i.m.msg_flags, "room %d", room);
		EXPECT_EQ(0, i.m.msg_controllen);
		/* the file went with it */
		net_close(sv);
	}
	close(file);
}

/* Either of the two, without a look at the message. */
static int run_msg(struct ring *r, unsigned int op, int fd, const void *m)
{
	prep(r, op, fd, m, 1, 0, 1);
	return ring_run(r);
}

TEST_F(msg, bad_messages_are_refused)
{
	static const unsigned int op[] = { ARING_OP_SENDMSG, ARING_OP_RECVMSG };
	static struct iovec many[1025];
	struct ring *r = &self->r;
	int sv[2];

	ASSERT_EQ(0, net_pair(ON_UNIX, sv));
	for (int k = 0; k < 2; k++) {
		struct one o;

		CHECK_EQ(-EFAULT, run_msg(r, op[k], sv[0], (void *)8), "op %u",
			 op[k]);
		CHECK_EQ(-EFAULT, run_msg(r, op[k], sv[0], NULL), "op %u",
			 op[k]);
		one(&o, "x")->msg_iov = (void *)8;
		CHECK_EQ(-EFAULT, run_msg(r, op[k], sv[0], &o.m), "op %u",
			 op[k]);
		one(&o, "x");
		o.v.iov_len = -1;
		CHECK_EQ(-EINVAL, run_msg(r, op[k], sv[0], &o.m), "op %u",
			 op[k]);
		/* sendmsg(2) says EMSGSIZE of too many buffers */
		one(&o, "x");
		o.m.msg_iov = many;
		o.m.msg_iovlen = 1025;
		CHECK_EQ(-EINVAL, run_msg(r, op[k], sv[0], &o.m), "op %u",
			 op[k]);
		one(&o, "x");
		o.m.msg_name = o.c;
		o.m.msg_namelen = -1;
		CHECK_EQ(-EINVAL, run_msg(r, op[k], sv[0], &o.m), "op %u",
			 op[k]);
		/* never an address of the program's: nothing is waited for */
		one(&o, "x");
		o.v.iov_base = (void *)0xffff888000000000;
		CHECK_EQ(-EFAULT, run_msg(r, op[k], sv[0], &o.m), "op %u",
			 op[k]);
	}
	net_close(sv);
}

TEST_F(msg, bad_control_data_is_refused)
{
	static const unsigned int op = ARING_OP_SENDMSG;
	struct ring *r = &self->r;
	int sv[2], none = -1;
	struct one o;

	ASSERT_EQ(0, net_pair(ON_UNIX, sv));
	one(&o, "x");
	o.m.msg_control = (void *)8;
	o.m.msg_controllen = 64;
	EXPECT_EQ(-EFAULT, run_msg(r, op, sv[0], &o.m));
	o.m.msg_control = o.c;
	o.m.msg_controllen = 1UL << 32;
	EXPECT_EQ(-ENOBUFS, run_msg(r, op, sv[0], &o.m));
	o.m.msg_controllen = 16;
	EXPECT_EQ(-EINVAL, run_msg(r, op, sv[0], &o.m));
	/* a descriptor that is none */
	put_cmsg(&o, SOL_SOCKET, SCM_RIGHTS, &none, sizeof(none));
	EXPECT_EQ(-EBADF, run_msg(r, op, sv[0], &o.m));
	net_close(sv);
}

/* The msghdr, its array and its name were copied when ENTER returns. */
TEST_F(msg, memory_may_be_reused_after_enter)
{
	static const int kinds[] = { ON_UNIX, ON_TCP, ON_SEQPACKET };

	for (int n = 0; n < 9; n++) {
		int kind = kinds[n % 3], how = n / 3, sv[2];
		char data[5] = "data", b[4096], *at = NULL;
		struct one o;
		ssize_t len;

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		net_fill(sv[0]);
		one(&o, "");
		o.v = (struct iovec) { data, 4 };
		prep_sendmsg(&self->r, sv[0], &o.m, 0, 1);
		if (how == 1)
			self->r.sqes[(self->r.tail - 1) & 63].flags =
				ARING_SQE_ASYNC;
		if (how == 2)
			self->r.sqes[(self->r.tail - 1) & 63].ioprio =
				ARING_RECVSEND_POLL_FIRST;
		ASSERT_EQ(1, ring_submit(&self->r));
		memset(&o, 0xff, sizeof(o));
		CHECK_TRUE(ring_quiet(&self->r, 10), "%s, how %d", NET[kind],
			   how);
		/* all that is ahead of it is zero */
		while (!at) {
			ring_enter(&self->r, 0, 0, ARING_ENTER_GETEVENTS, NULL,
				   0);
			len = recv(sv[1], b, sizeof(b), MSG_DONTWAIT);
			if (len > 0)
				at = memchr(b, 'd', len);
			else
				usleep(100);
		}
		NEXT(&self->r, 1, 4, 0, "%s, how %d", NET[kind], how);
		CHECK_EQ(0, memcmp(at, "data", 4), "%s, how %d", NET[kind],
			 how);
		net_close(sv);
	}
}

TEST_F(msg, async_ones_are_the_same)
{
	for (int kind = 0; kind < NETS; kind++) {
		struct one o, i;
		int sv[2];

		NEED_EQ(0, net_pair(kind, sv), "%s", NET[kind]);
		prep_recvmsg(&self->r, sv[0], one(&i, NULL), 0, 1)->flags =
			ARING_SQE_ASYNC;
		ASSERT_EQ(1, ring_submit(&self->r));
		CHECK_TRUE(ring_quiet(&self->r, 30), "%s", NET[kind]);
		CHECK_EQ(0, peer_workers(&self->r), "%s", NET[kind]);
		prep_sendmsg(&self->r, sv[1], one(&o, "abc"), 0, 2)->flags =
			ARING_SQE_ASYNC;
		ASSERT_EQ(1, ring_submit(&self->r));
		BOTH(&self->r, 1, 3, 2, 3, "%s", NET[kind]);
		EXPECT_STREQ("abc", i.b);
		net_close(sv);
	}
}

/* A port where nobody listens, and who wants to hear of it. */
TEST_F(msg, the_error_queue)
{
	struct sockaddr_in nobody;
	struct sock_extended_err *e;
	int on = 1, fd, gone;

	for (int wait = 0; wait < 2; wait++) {
		struct one i;

		gone = udp_socket(&nobody);
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		ASSERT_EQ(0, setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on,
					sizeof(on)));
		ASSERT_EQ(0, connect(fd, (void *)&nobody, sizeof(nobody)));
		close(gone);
		if (wait) {
			prep_recvmsg(&self->r, fd, one_with_room(&i),
				     MSG_ERRQUEUE, 1);
			ASSERT_EQ(1, ring_submit(&self->r));
			EXPECT_TRUE(ring_quiet(&self->r, 10));
		}
		prep_send(&self->r, fd, "lost", 4, 0, 2);
		if (!wait) {
			EXPECT_EQ(4, ring_run(&self->r));
			usleep(10000);
			prep_recvmsg(&self->r, fd, one_with_room(&i),
				     MSG_ERRQUEUE, 1);
			EXPECT_EQ(4, ring_run(&self->r));
		} else {
			ASSERT_EQ(1, ring_submit(&self->r));
			BOTH(&self->r, 1, 4, 2, 4, "waited for");
		}
		EXPECT_STREQ("lost", i.b);
		EXPECT_EQ(MSG_ERRQUEUE, i.m.msg_flags);
		e = get_cmsg(&i, IPPROTO_IP, IP_RECVERR);
		NEED_TRUE(e, "wait %d", wait);
		EXPECT_EQ(ECONNREFUSED, e->ee_errno);
		EXPECT_EQ(SO_EE_ORIGIN_ICMP, e->ee_origin);
		prep_recvmsg(&self->r, fd, one_with_room(&i),
			     MSG_ERRQUEUE | MSG_DONTWAIT, 1);
		EXPECT_EQ(-EAGAIN, ring_run(&self->r));
		close(fd);
	}
}

RING_TEST_MAIN
