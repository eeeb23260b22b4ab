/* The table of subcommands, in the order of the life of a scan. */
#include "command.h"

#define COMMANDS(X)     \
	X(init)         \
	X(organisation) \
	X(member)       \
	X(device)       \
	X(key)          \
	X(account)      \
	X(xray)         \
	X(seal)         \
	X(serve)        \
	X(openapi)      \
	X(dicom)        \
	X(edge)         \
	X(verify)       \
	X(find)         \
	X(retrieve)     \
	X(break_glass)  \
	X(open)         \
	X(deidentify)   \
	X(convert)      \
	X(consent)      \
	X(segment)      \
	X(perturb)      \
	X(extract)      \
	X(export)       \
	X(evaluate)     \
	X(survival)     \
	X(train)        \
	X(predict)      \
	X(prove)        \
	X(quarantine)   \
	X(log)          \
	X(witness)      \
	X(anchor)       \
	X(audit)        \
	X(erase)        \
	X(fsck)         \
	X(backup)       \
	X(restore)      \
	X(vault)        \
	X(demo)         \
	X(manual)       \
	X(completion)

#define COMMAND_DECLARE(name) extern const struct command command_##name;
COMMANDS(COMMAND_DECLARE)
#undef COMMAND_DECLARE

#define COMMAND_ROW(name) &command_##name,
const struct command *const commands[] = {COMMANDS(COMMAND_ROW) NULL};
#undef COMMAND_ROW
