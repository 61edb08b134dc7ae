// SPDX-License-Identifier: MIT
/*
 * What LD_PRELOAD does not get into: a program without a dynamic loader, or with
 * one that is not glibc's; and what runs, or is meant to run, with privileges
 * of its own: the loader ignores LD_PRELOAD there, and no_new_privs, without
 * which no filter can be installed, takes those privileges away.
 *
 * Called between vfork() and exec, too: system calls and the stack only.
 */
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sys.h"
#include "target.h"

/* As many scripts interpreting each other as the kernel accepts. */
#define MAX_SCRIPTS	5
#define MAX_PHDRS	128
#define MAX_NAME	256

static void set_what(struct shim_target *t, const char *name)
{
	size_t len = strlen(name);

	if (len >= sizeof(t->what))
		len = sizeof(t->what) - 1;
	memmove(t->what, name, len);
	t->what[len] = 0;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static long read_at(int fd, void *buf, size_t len, uint64_t off)
{
	return sys4(SYS_pread64, fd, buf, len, off);
}

/* The loader can be called as a program: ld.so PROG. It is a static one. */
static bool is_loader(const Elf64_Ehdr *h, const char *name)
{
	name = last_part(name);
	return h->e_type == ET_DYN &&
	       (!strncmp(name, "ld-linux", 8) || !strcmp(name, "ld.so"));
}

static const char *check_elf(int fd, const char *name)
{
	char interp[MAX_NAME];
	Elf64_Ehdr h;
	Elf64_Phdr p;
	unsigned int i;
	long n;

	if (read_at(fd, &h, sizeof(h), 0) != sizeof(h))
		return NULL;	/* exec will say what is wrong */
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_machine != EM_X86_64)
		return "is not a 64-bit x86 program";
	for (i = 0; i < h.e_phnum && i < MAX_PHDRS; i++) {
		if (read_at(fd, &p, sizeof(p),
			    h.e_phoff + (uint64_t)i * h.e_phentsize) !=
		    sizeof(p))
			return NULL;
		if (p.p_type != PT_INTERP)
			continue;
		n = read_at(fd, interp, sizeof(interp) - 1, p.p_offset);
		if (n <= 0)
			return NULL;
		interp[n] = 0;
		if (strcmp(last_part(interp), "ld-linux-x86-64.so.2"))
			return "is not linked with glibc";
		return NULL;
	}
	return is_loader(&h, name) ? NULL : "is statically linked";
}

/* The interpreter of a script whose first line is in @buf, or NULL. */
static char *script_interpreter(char *buf)
{
	char *end;

	if (buf[0] != '#' || buf[1] != '!')
		return NULL;
	buf += 2;
	buf += strspn(buf, " \t");
	end = buf + strcspn(buf, " \t\n");
	*end = 0;
	return end == buf ? NULL : buf;
}

static bool check_open(int fd, struct shim_target *t, int scripts);

static bool check_path(const char *path, struct shim_target *t, int scripts)
{
	struct stat st;
	long fd;
	bool ok;

	set_what(t, path);
	/* Opening something else than a file might have consequences. */
	if (sys4(SYS_newfstatat, AT_FDCWD, path, &st, 0) ||
	    !S_ISREG(st.st_mode))
		return true;
	/* That a file may be executed but not read makes no difference here. */
	if (st.st_mode & (S_ISUID | S_ISGID)) {
		t->why = "is set-user-ID or set-group-ID";
		return false;
	}
	fd = sys4(SYS_openat, AT_FDCWD, path,
		  O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	if (fd < 0)
		return true;
	ok = check_open((int)fd, t, scripts);
	sys1(SYS_close, fd);
	return ok;
}

/* @t->what is its name. */
static bool check_open(int fd, struct shim_target *t, int scripts)
{
	char buf[MAX_NAME];
	char *interpreter;
	struct stat st;
	long n;

	if (sys2(SYS_fstat, fd, &st) || !S_ISREG(st.st_mode))
		return true;
	if (st.st_mode & (S_ISUID | S_ISGID)) {
		t->why = "is set-user-ID or set-group-ID";
		return false;
	}
	if (sys4(SYS_fgetxattr, fd, "security.capability", NULL, 0) > 0) {
		t->why = "has file capabilities";
		return false;
	}
	n = read_at(fd, buf, sizeof(buf) - 1, 0);
	if (n <= SELFMAG)
		return true;
	buf[n] = 0;
	if (!memcmp(buf, ELFMAG, SELFMAG)) {
		t->why = check_elf(fd, t->what);
		return !t->why;
	}
	interpreter = script_interpreter(buf);
	if (!interpreter || scripts == MAX_SCRIPTS)
		return true;
	return check_path(interpreter, t, scripts + 1);
}

/**
 * shim_target_ok() - can the shim get into the program at @path?
 * @path: file that is going to be executed
 * @t: filled in if not
 *
 * Return: false only if it is certain that it cannot: what does not exist, or is
 * no program, is exec's to refuse.
 */
bool shim_target_ok(const char *path, struct shim_target *t)
{
	return check_path(path, t, 0);
}

/**
 * shim_target_fd_ok() - the same for a file that is open already
 * @fd: its descriptor
 * @t: filled in if not
 */
bool shim_target_fd_ok(int fd, struct shim_target *t)
{
	set_what(t, "a program executed by descriptor");
	return check_open(fd, t, 0);
}

static int try_program(const char *path)
{
	struct stat st;
	long ret;

	ret = sys4(SYS_newfstatat, AT_FDCWD, path, &st, 0);
	if (ret)
		return (int)ret;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	/* By the effective ids, as exec does. */
	return (int)sys4(SYS_faccessat2, AT_FDCWD, path, 1, AT_EACCESS);
}

/**
 * shim_find_program() - find a program as execvp(3) does
 * @name: what was asked for
 * @dirs: value of PATH, or NULL
 * @buf: its path goes here
 * @size: of @buf
 *
 * Return: 0; -ENOENT if there is none; -EACCES or another errno if there is one
 * that may not be executed, whose path is in @buf then.
 */
int shim_find_program(const char *name, const char *dirs, char *buf,
		      size_t size)
{
	size_t name_len = strlen(name);
	int ret = -ENOENT, err;
	size_t len;

	if (!*name || name_len >= size)
		return -ENOENT;
	if (strchr(name, '/')) {
		memcpy(buf, name, name_len + 1);
		return try_program(buf);
	}
	if (!dirs)
		dirs = "/bin:/usr/bin";
	for (;; dirs += len + 1) {
		len = strcspn(dirs, ":");
		if (len + 1 + name_len < size) {
			memcpy(buf, dirs, len);
			if (len)
				buf[len] = '/';
			memcpy(buf + len + !!len, name, name_len + 1);
			err = try_program(buf);
			if (!err)
				return 0;
			if (err == -EACCES)
				ret = err;
		}
		if (!dirs[len])
			return ret;
	}
}
