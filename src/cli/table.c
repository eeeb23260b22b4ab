/* The table of subcommands, in the order of the life of a scan. */
#include "command.h"

extern const struct command command_init, command_seal, command_verify, command_retrieve, command_extract,
	command_log, command_witness, command_fsck, command_backup, command_restore, command_demo,
	command_manual, command_completion;

const struct command *const commands[] = {
	&command_init,       &command_seal,
	&command_verify,     &command_retrieve,
	&command_extract,    &command_log,
	&command_witness,    &command_fsck,
	&command_backup,     &command_restore,
	&command_demo,       &command_manual,
	&command_completion, NULL,
};
