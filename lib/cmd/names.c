// SPDX-License-Identifier: MIT
/*
 * Names and numbers, as plans and chaos strings have them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <linux/aring.h>

#include "cmd.h"
#include "names.h"

#define OP(name)	{ #name, ARING_OP_##name }

/* Every operation, each table ended by an entry without a name. */
const struct name op_names[] = {
	OP(NOP), OP(READV), OP(WRITEV), OP(FSYNC), OP(READ_FIXED),
	OP(WRITE_FIXED), OP(POLL_ADD), OP(POLL_REMOVE), OP(SENDMSG),
	OP(RECVMSG), OP(TIMEOUT), OP(TIMEOUT_REMOVE), OP(ASYNC_CANCEL),
	OP(LINK_TIMEOUT), OP(READ), OP(WRITE), OP(SEND), OP(RECV), OP(VREAD),
	OP(VWRITE),
	{ NULL, 0 },
};

#define ERR(name)	{ #name, name }

/* What operations of a ring can fail with. */
const struct name errno_names[] = {
	ERR(EAGAIN), ERR(EIO), ERR(ENOSPC), ERR(EDQUOT), ERR(EFBIG),
	ERR(ENOMEM), ERR(ENOBUFS), ERR(EINTR), ERR(ECANCELED), ERR(EBUSY),
	ERR(EPIPE), ERR(ECONNRESET), ERR(ECONNREFUSED), ERR(ECONNABORTED),
	ERR(ETIMEDOUT), ERR(EHOSTUNREACH), ERR(ENETUNREACH), ERR(ENETDOWN),
	ERR(ENOTCONN), ERR(EMSGSIZE), ERR(EPERM), ERR(EACCES), ERR(EBADF),
	ERR(EFAULT), ERR(EINVAL), ERR(ENXIO), ERR(ENODEV), ERR(EROFS),
	ERR(ESTALE), ERR(ENOTSUP), ERR(ETIME),
	{ NULL, 0 },
};

/**
 * name_of() - the name of a number
 * @names: table to look in
 * @nr: the number
 *
 * Return: its name, or NULL.
 */
const char *name_of(const struct name *names, unsigned int nr)
{
	for (; names->name; names++)
		if (names->nr == nr)
			return names->name;
	return NULL;
}

/**
 * name_find() - the entry of a name, in whatever case
 * @names: table to look in
 * @text: the name
 *
 * Return: the entry, or NULL.
 */
const struct name *name_find(const struct name *names, const char *text)
{
	for (; names->name; names++)
		if (!strcasecmp(names->name, text))
			return names;
	return NULL;
}

/* Reads digits; returns what follows, or NULL. */
static const char *digits(const char *text, __u64 *nr)
{
	const char *p = text;
	__u64 v = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (__u64)(*p - '0'), &v))
			return NULL;
	*nr = v;
	return p == text ? NULL : p;
}

/**
 * read_number() - read a decimal number that is all of a text
 * @text: the text
 * @max: the largest that is right
 * @nr: out
 *
 * Return: whether it is one.
 */
bool read_number(const char *text, __u64 max, __u64 *nr)
{
	const char *end = digits(text, nr);

	return end && !*end && *nr <= max;
}

static const struct {
	const char *name;
	__u64 ns;
} units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
};

/**
 * read_duration() - read a number of ns, us, ms or s
 * @text: the text
 * @unit: nanoseconds that it counts if it names no unit, 0 if it has to
 * @ns: out: nanoseconds
 * @unit_is: out, if not NULL: nanoseconds of the unit that it names
 *
 * Return: whether it is one.
 */
bool read_duration(const char *text, __u64 unit, __u64 *ns, __u64 *unit_is)
{
	const char *end = digits(text, ns);
	size_t i;

	if (!end)
		return false;
	for (i = 0; *end && i < ARRAY_SIZE(units); i++)
		if (!strcmp(end, units[i].name)) {
			unit = units[i].ns;
			end += strlen(end);
		}
	if (*end || (!unit && *ns) || __builtin_mul_overflow(*ns, unit, ns))
		return false;
	if (unit_is)
		*unit_is = unit;
	return true;
}

/**
 * write_duration() - write nanoseconds as read_duration() reads them
 * @buf: to here
 * @size: of @buf
 * @ns: the nanoseconds
 */
void write_duration(char *buf, size_t size, __u64 ns)
{
	size_t i = ARRAY_SIZE(units) - 1;

	while (i && ns % units[i].ns)
		i--;
	if (!ns)
		i = 0;
	snprintf(buf, size, "%llu%s", ns / units[i].ns, units[i].name);
}
