/* The table of subcommands, in the order of the life of a scan. */
#include "command.h"

#define COMMANDS(X)     \
	X(init)         \
	X(organisation) \
	X(member)       \
	X(device)       \
	X(key)          \
	X(xray)         \
	X(seal)         \
	X(verify)       \
	X(retrieve)     \
	X(open)         \
	X(break_glass)  \
	X(consent)      \
	X(prepare)      \
	X(segment)      \
	X(deidentify)   \
	X(account)      \
	X(anchor)       \
	X(find)         \
	X(dicom)        \
	X(fetch)        \
	X(openapi)      \
	X(export)       \
	X(edge)         \
	X(convert)      \
	X(register)     \
	X(perturb)      \
	X(extract)      \
	X(serve)        \
	X(quarantine)   \
	X(survival)     \
	X(train)        \
	X(evaluate)     \
	X(predict)      \
	X(prove)        \
	X(log)          \
	X(witness)      \
	X(audit)        \
	X(erase)        \
	X(vault)        \
	X(fsck)         \
	X(backup)       \
	X(restore)      \
	X(demo)         \
	X(manual)       \
	X(completion)

#define COMMAND_DECLARE(name) extern const struct command command_##name;
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

#define COMMAND_ROW(name) &command_##name,
const struct command *const commands[] = {COMMANDS(COMMAND_ROW) NULL};
#undef COMMAND_ROW
