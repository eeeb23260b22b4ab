/* The sandbox of radseal-jpeg: limits, then a seccomp filter of the calls that decoding needs. Anything else ends the
 * process. What is open then is the channel and the shared memory; nothing can be opened after. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codec/worker.h"

#define MEMORY_MAX ((rlim_t)4 << 30) /* a frame of RS_CODEC_SAMPLES_MAX, in the codec's words and in ours */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "say which architecture's system calls the sandbox filters"
#endif

static bool limit(void)
{
	static const struct {
		int what;
		rlim_t most;
	} limits[] = {{RLIMIT_AS, MEMORY_MAX}, {RLIMIT_CORE, 0},    {RLIMIT_FSIZE, 0},
	              {RLIMIT_NPROC, 0},       {RLIMIT_MEMLOCK, 0}, {RLIMIT_NOFILE, 2}};
	for (size_t i = 0; i < RS_COUNT(limits); i++) {
		const struct rlimit both = {limits[i].most, limits[i].most};
		if (setrlimit((__rlimit_resource_t)limits[i].what, &both) != 0)
			return false;
	}
	return true;
}

#define NUMBER offsetof(struct seccomp_data, nr)
#define THIRD offsetof(struct seccomp_data, args[2]) /* its low half: both architectures are little-endian */
#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(at))
#define ALLOW(call)                                                       \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)__NR_##call, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

static bool filter(void)
{
	struct sock_filter rules[] = {
		LOAD(offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		KILL,
		LOAD(NUMBER),
		ALLOW(read),
		ALLOW(write),
		ALLOW(exit_group),
		ALLOW(brk),
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(madvise),
		ALLOW(futex),
		ALLOW(clock_gettime),
		/* New memory, but none that can be run. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)__NR_mmap, 0, 3),
		LOAD(THIRD),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		KILL,
	};
	const struct sock_fprog program = {RS_COUNT(rules), rules};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

bool sandbox_close(void)
{
#ifdef RADSEAL_SANITIZED
	const bool closes = false; /* the sanitizers' own calls are many */
#else
	const bool closes = true;
#endif
	return !closes || (syscall(SYS_close_range, 2U, ~0U, 0U) == 0 && limit() && filter());
}
