// SPDX-License-Identifier: MIT
/*
 * The engine of aring cp: keeps @depth blocks in flight.
 *
 * A slot is a buffer with one block of the file in it. It is first read, then
 * written, each by as many requests as short results make necessary, and then
 * free for the next block:
 *
 *	FREE -> READING -> WRITING -> FREE
 *
 * The end of the file is where a read finds nothing, whatever fstat(2) said
 * before. The lowest such place counts; when everything has come back, the file
 * is looked at there once more, and if it has grown meanwhile the copy goes on
 * from there. Holes are not read, and zeros in a file that has holes are not
 * written; the length is set in the end.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

#define NO_END	(~0ULL)
#define ALIGN	4096U

enum slot_state { FREE, READING, WRITING };

struct slot {
	enum slot_state state;
	char *buf;
	__u64 off;		/* of the block in the file */
	unsigned int have;	/* bytes read */
	unsigned int todo;	/* bytes to write */
	unsigned int done;	/* bytes written */
};

struct copy {
	struct copy_job *job;
	struct slot *slots;
	char *memory;
	unsigned int busy;	/* slots not FREE */
	__u64 next;		/* offset of the next block to read */
	__u64 hint;		/* read up to here without asking */
	__u64 end;		/* end of the file, or NO_END */
	__u64 written;	/* for the progress bar */
	double since;
	int err;
};

static void copy_fail(struct copy *c, const char *what, __u64 off, int err)
{
	if (c->err)
		return;
	c->err = err;
	c->job->what = what;
	c->job->where = off;
}

static void slot_free(struct copy *c, struct slot *s)
{
	s->state = FREE;
	c->busy--;
}

static struct aring_sqe *get_sqe(struct copy *c, void *data)
{
	struct aring_sqe *sqe = aring_get_sqe(c->job->ring);

	if (!sqe) {
		/* Only after a submit that took less than all. */
		aring_submit(c->job->ring);
		sqe = aring_get_sqe(c->job->ring);
	}
	if (sqe) {
		aring_sqe_set_data(sqe, data);
		c->job->requests++;
	}
	return sqe;
}

static void slot_read(struct copy *c, struct slot *s)
{
	struct aring_sqe *sqe = get_sqe(c, s);

	if (!sqe) {
		copy_fail(c, "submit", s->off, -EAGAIN);
		slot_free(c, s);
		return;
	}
	s->state = READING;
	aring_prep_read(sqe, c->job->src, s->buf + s->have,
			c->job->block - s->have, s->off + s->have);
}

static void slot_write(struct copy *c, struct slot *s)
{
	struct aring_sqe *sqe = get_sqe(c, s);

	if (!sqe) {
		copy_fail(c, "submit", s->off, -EAGAIN);
		slot_free(c, s);
		return;
	}
	s->state = WRITING;
	aring_prep_write(sqe, c->job->dst, s->buf + s->done, s->todo - s->done,
			 s->off + s->done);
}

static bool all_zero(const char *p, size_t len)
{
	return !len || (!*p && !memcmp(p, p + 1, len - 1));
}

/* All of a block is read that there is: write it. */
static void block_complete(struct copy *c, struct slot *s)
{
	unsigned int len = s->have;

	if (s->off + len > c->end)
		len = c->end > s->off ? (unsigned int)(c->end - s->off) : 0;

	if (!len || c->err ||
	    (c->job->sparse && all_zero(s->buf, len))) {
		c->written += len;
		slot_free(c, s);
		return;
	}

	/* O_DIRECT wants whole sectors; the file is cut to length at the end. */
	if (c->job->direct && len % ALIGN) {
		unsigned int whole = (len + ALIGN - 1) / ALIGN * ALIGN;

		memset(s->buf + len, 0, whole - len);
		len = whole;
	}
	s->todo = len;
	s->done = 0;
	slot_write(c, s);
}

static void read_done(struct copy *c, struct slot *s, int res)
{
	if (res < 0) {
		copy_fail(c, "read", s->off + s->have, res);
		slot_free(c, s);
		return;
	}

	s->have += (unsigned int)res;
	if (s->have == c->job->block) {
		block_complete(c, s);
	} else if (res && !(c->job->direct && s->have % ALIGN)) {
		slot_read(c, s);	/* short: there may be more */
	} else {
		if (s->off + s->have < c->end)
			c->end = s->off + s->have;
		block_complete(c, s);
	}
}

static void write_done(struct copy *c, struct slot *s, int res)
{
	if (res <= 0) {
		copy_fail(c, "write", s->off + s->done, res ? res : -EIO);
		slot_free(c, s);
		return;
	}

	s->done += (unsigned int)res;
	c->written += (unsigned int)res;
	if (s->done >= s->todo) {
		slot_free(c, s);
		return;
	}
	if (c->job->direct)
		s->done -= s->done % ALIGN;
	slot_write(c, s);
}

static void handle_cqe(struct copy *c, const struct aring_cqe *cqe)
{
	struct slot *s = aring_cqe_get_data(cqe);
	int res = cqe->res;

	if (c->err) {
		slot_free(c, s);
	} else if (res == -EINTR || res == -EAGAIN) {
		if (s->state == READING)
			slot_read(c, s);
		else
			slot_write(c, s);
	} else if (s->state == READING) {
		read_done(c, s, res);
	} else {
		write_done(c, s, res);
	}
}

/* Submit what was prepared, wait a little, and deal with what came back. */
static void turn(struct copy *c)
{
	struct __kernel_timespec ts = { .tv_nsec = 100 * 1000 * 1000 };
	struct aring *ring = c->job->ring;
	struct aring_cqe *cqe;
	int ret;

	ret = aring_submit_and_wait_timeout(ring, &cqe, 1, &ts, NULL);
	if (ret < 0 && ret != -ETIME && ret != -EINTR && ret != -EAGAIN &&
	    ret != -EBUSY) {
		copy_fail(c, "submit", c->next, ret);
		c->busy = 0;	/* there is no telling when: give up at once */
		return;
	}

	while (!aring_peek_cqe(ring, &cqe)) {
		struct aring_cqe copy = *cqe;

		aring_cqe_seen(ring, cqe);
		handle_cqe(c, &copy);
	}
	if (c->job->progress)
		progress_show(c->written, c->job->size, c->since);
}

/* Go on to where there is data, at most to where the file ended at first. */
static void skip_hole(struct copy *c)
{
	off_t data = lseek(c->job->src_check, (off_t)c->next, SEEK_DATA);
	__u64 to = c->next;

	if (data >= 0)
		to = (__u64)data - (__u64)data % ALIGN;
	else if (errno == ENXIO)
		to = c->job->size;
	if (to > c->next)
		c->next = to;
}

static void start_reads(struct copy *c)
{
	unsigned int i;

	for (i = 0; i < c->job->depth && !c->err; i++) {
		struct slot *s = &c->slots[i];

		if (s->state != FREE)
			continue;
		if (c->job->sparse && c->next < c->job->size)
			skip_hole(c);
		if (c->next >= c->hint || c->next >= c->end)
			return;
		s->off = c->next;
		s->have = 0;
		c->next += c->job->block;
		c->busy++;
		slot_read(c, s);
	}
}

/*
 * Nothing is in flight and there is nothing more to read by what is known so
 * far. Returns true if that is really all.
 */
static bool at_end(struct copy *c)
{
	struct stat st;
	ssize_t n;
	char byte;

	if (c->end == NO_END) {
		c->hint = c->next + c->job->block;
		return false;
	}
	/* A hole at the end was not read, so nothing has told its length. */
	if (c->job->sparse && !fstat(c->job->src_check, &st) &&
	    (__u64)st.st_size < c->end)
		c->end = (__u64)st.st_size;

	/* What was read beyond an end that was found later goes again. */
	if (ftruncate(c->job->dst, (off_t)c->end)) {
		copy_fail(c, "set the length", c->end, -errno);
		return true;
	}
	n = pread(c->job->src_check, &byte, 1, (off_t)c->end);
	if (n < 0)
		copy_fail(c, "read", c->end, -errno);
	if (n <= 0)
		return true;

	/* It has grown: go on where it ended. */
	c->next = c->job->direct ? c->end - c->end % ALIGN : c->end;
	c->hint = c->next + c->job->block;
	c->end = NO_END;
	return false;
}

static bool stopped(const struct copy *c)
{
	return __atomic_load_n(c->job->stop, __ATOMIC_RELAXED) != 0;
}

static int sync_file(struct copy *c)
{
	struct aring *ring = c->job->ring;
	struct aring_sqe *sqe = get_sqe(c, NULL);
	struct aring_cqe *cqe;
	int ret;

	if (!sqe)
		return -EAGAIN;
	aring_prep_fsync(sqe, c->job->dst, 0);
	do {
		ret = aring_submit(ring);
	} while (ret == -EINTR);
	if (ret < 0)
		return ret;
	do {
		ret = aring_wait_cqe(ring, &cqe);
	} while (ret == -EINTR && !stopped(c));
	if (ret < 0)
		return ret;
	ret = cqe->res;
	aring_cqe_seen(ring, cqe);
	return ret;
}

static int copy_blocks(struct copy *c)
{
	int ret;

	while (!stopped(c)) {
		start_reads(c);
		if (c->busy)
			turn(c);
		else if (c->err || at_end(c))
			break;
	}
	if (stopped(c))
		return -EINTR;
	if (c->err)
		return c->err;

	ret = sync_file(c);
	if (ret < 0)
		copy_fail(c, "sync", 0, ret);
	c->job->copied = c->end;
	return c->err;
}

/**
 * copy_run() - copy a file
 * @job: what from, where to, how
 *
 * The copy is on the disk when this returns 0.
 *
 * Return: 0; -EINTR if it was stopped, with requests possibly still in flight;
 * or another error, with &copy_job.what and &copy_job.where filled in.
 */
int copy_run(struct copy_job *job)
{
	struct copy c = {
		.job = job,
		.hint = job->size,
		.end = NO_END,
		.since = seconds_now(),
	};
	unsigned int i;
	int ret;

	c.slots = calloc(job->depth, sizeof(*c.slots));
	c.memory = aligned_alloc(ALIGN, ((size_t)job->depth * job->block +
					 ALIGN - 1) / ALIGN * ALIGN);
	if (!c.slots || !c.memory) {
		copy_fail(&c, "get memory for", 0, -ENOMEM);
		ret = -ENOMEM;
		goto out;
	}
	for (i = 0; i < job->depth; i++)
		c.slots[i].buf = c.memory + (size_t)i * job->block;

	ret = copy_blocks(&c);
	if (job->progress)
		progress_clear();
	/* Requests may still use the buffers: leave them to exit(). */
	if (ret == -EINTR || c.busy)
		return ret;
out:
	free(c.memory);
	free(c.slots);
	return ret;
}
