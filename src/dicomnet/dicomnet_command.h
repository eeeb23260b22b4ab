/* DIMSE command sets (PS3.7 section 9, 10 and annex E): what is asked and answered within an association. */
#ifndef RS_DICOMNET_COMMAND_H
#define RS_DICOMNET_COMMAND_H

#include "dicomnet/dicomnet.h"

enum rs_command_field {
	RS_C_STORE_RQ = 0x0001,
	RS_C_GET_RQ = 0x0010,
	RS_C_FIND_RQ = 0x0020,
	RS_C_MOVE_RQ = 0x0021,
	RS_C_ECHO_RQ = 0x0030,
	RS_N_EVENT_REPORT_RQ = 0x0100,
	RS_N_ACTION_RQ = 0x0130,
	RS_C_CANCEL_RQ = 0x0FFF,
	RS_COMMAND_RESPONSE = 0x8000, /* this bit makes a response of a request */
};

/* PS3.7 annex C, PS3.4 annexes B.2.3, C.4. */
enum rs_status {
	RS_STATUS_SUCCESS = 0x0000,
	RS_STATUS_DUPLICATE_MESSAGE = 0x0210,
	RS_STATUS_NO_SUCH_SOP_CLASS = 0x0118,
	RS_STATUS_NO_SUCH_INSTANCE = 0x0112,
	RS_STATUS_NO_SUCH_ACTION = 0x0123,
	RS_STATUS_PROCESSING_FAILURE = 0x0110,
	RS_STATUS_NOT_AUTHORIZED = 0x0124,
	RS_STATUS_UNRECOGNIZED_OPERATION = 0x0211,
	RS_STATUS_OUT_OF_RESOURCES = 0xA700,
	RS_STATUS_UNKNOWN_DESTINATION = 0xA801,
	RS_STATUS_NOT_OF_ITS_CLASS = 0xA900,
	RS_STATUS_SUBOPERATIONS_FAILED = 0xB000,
	RS_STATUS_NOT_UNDERSTOOD = 0xC000,
	RS_STATUS_CANCELLED = 0xFE00,
	RS_STATUS_PENDING = 0xFF00,
};

/* Elements of a command set, bits of `present`: by their numbers in group 0000. */
#define RS_COMMAND_ELEMENTS(X)                      \
	X(SOP_CLASS, 0x0002, UI, sop_class)         \
	X(REQUESTED_CLASS, 0x0003, UI, sop_class)   \
	X(FIELD, 0x0100, US, field)                 \
	X(MESSAGE, 0x0110, US, message)             \
	X(RESPONDED, 0x0120, US, message)           \
	X(DESTINATION, 0x0600, AE, title)           \
	X(PRIORITY, 0x0700, US, priority)           \
	X(DATA, 0x0800, US, data)                   \
	X(STATUS, 0x0900, US, status)               \
	X(COMMENT, 0x0902, LO, comment)             \
	X(INSTANCE, 0x1000, UI, instance)           \
	X(REQUESTED_INSTANCE, 0x1001, UI, instance) \
	X(EVENT, 0x1002, US, kind)                  \
	X(ACTION, 0x1008, US, kind)                 \
	X(REMAINING, 0x1020, US, remaining)         \
	X(COMPLETED, 0x1021, US, completed)         \
	X(FAILED, 0x1022, US, failed)               \
	X(WARNED, 0x1023, US, warned)               \
	X(ORIGINATOR, 0x1030, AE, title)            \
	X(ORIGINATOR_MESSAGE, 0x1031, US, originator_message)

enum rs_command_bit {
#define RS_COMMAND_BIT(name, number, vr, member) RS_COMMAND_BIT_##name,
	RS_COMMAND_ELEMENTS(RS_COMMAND_BIT)
#undef RS_COMMAND_BIT
};
#define RS_HAS(name) (UINT32_C(1) << RS_COMMAND_BIT_##name)

#define RS_COMMENT_SIZE 65
#define RS_NO_DATA 0x0101

struct rs_command {
	uint32_t present;
	uint16_t field, message; /* message: its own number, or of a response the one it answers */
	uint16_t priority, data, status, kind, remaining, completed, failed, warned, originator_message;
	char sop_class[RS_UID_SIZE], instance[RS_UID_SIZE]; /* affected, or requested of N-ACTION */
	char title[RS_TITLE_SIZE]; /* move destination, or of a C-STORE who asked for it */
	char comment[RS_COMMENT_SIZE];
};

/* A whole command set (implicit little endian). Each kind has what PS3.7 makes mandatory, or is refused.
 * errors  RS_MALFORMED */
enum rs_code rs_command_decode(struct rs_bytes encoded, struct rs_command *out, struct rs_error *err);
/* Appends what `present` names. */
enum rs_code rs_command_encode(const struct rs_command *command, struct rs_buffer *out, struct rs_error *err);
static inline bool rs_command_has_data(const struct rs_command *command)
{
	return command->data != RS_NO_DATA;
}
/* "C-STORE-RQ", or "command 1234H" written to `text`. */
#define RS_COMMAND_NAME_SIZE 32
const char *rs_command_name(uint16_t field, char text[static RS_COMMAND_NAME_SIZE]);
/* The answer to a request, without a data set. comment: why, for people there; NULL for none. Cut to what fits. */
void rs_command_answer(const struct rs_command *request, uint16_t status, const char *comment,
                       struct rs_command *out);

#endif
