/* What this side asks of DICOM peers: verification, storage of files as they are, queries, and to send what they have. */
#ifndef RS_GATEWAY_CLIENT_H
#define RS_GATEWAY_CLIENT_H

#include "dicom/dicom.h"

struct rs_dicom_peer {
	const char *address;          /* "10.0.0.9:104", "pacs.example:104" */
	const char *called, *calling; /* AE titles */
	bool is_tls;
	const char *certificate, *key; /* ours, PEM; NULL: none is shown */
	const char *authorities;       /* PEM; NULL: the system's */
	unsigned timeout_ms;           /* without a byte from the peer */
	unsigned
		retries; /* for a connection that breaks, and an instance that the peer has no room for just now */
};

/* errors  RS_IO (nobody answers), RS_REFUSED (rejected or aborted, with the peer's reason), RS_MALFORMED (no DICOM) */
enum rs_code rs_dicom_peer_echo(const struct rs_dicom_peer *peer, struct rs_error *err);

struct rs_dicom_sent {
	const char *path;
	bool is_skipped; /* no DICOM, in a directory */
	enum rs_code code;
	uint16_t status; /* of the peer; 0 is success, Bxxx a warning with success */
	uint64_t size;   /* bytes of the data set */
	const char *
		transfer_syntax; /* of the copy that was sent, when the peer does not take the file's own; else NULL */
	const struct rs_error *error;
};
typedef void rs_dicom_report(void *context, const struct rs_dicom_sent *sent);

/* Files, and directories with all below them, each in its own transfer syntax, or, when the peer does not take that, decoded to
 * explicit or implicit little endian. Reads the next file while the peer works on one. The code is that of the first failure. */
enum rs_code rs_dicom_peer_send(const struct rs_dicom_peer *peer, char *const *paths, size_t count,
                                rs_dicom_report *report, void *context, struct rs_error *err);

/* A question to an archive (PS3.4 annex C). Keys are "PatientID=P17", "StudyDate=20260101-20261231", "PatientName=Doe*", or a
 * keyword alone, for what matches are to tell. Elements of text at the top level only. */
struct rs_dicom_query {
	bool is_patient_root; /* else study root */
	const char *level;    /* "patient", "study", "series", "image" */
	const char *const *keys;
	size_t key_count;
	uint64_t matches_max; /* then it is cancelled */
};
/* One match, whose views are gone afterwards. Anything but RS_OK ends the association with that. */
typedef enum rs_code rs_dicom_match(void *context, const struct rs_dicom *match, struct rs_error *err);
/* errors  RS_USAGE: a key is none; RS_REFUSED: the peer's status and its comment; those of rs_dicom_peer_echo() */
enum rs_code rs_dicom_peer_find(const struct rs_dicom_peer *peer, const struct rs_dicom_query *query,
                                rs_dicom_match *match, void *context, struct rs_error *err);

struct rs_dicom_moved {
	uint16_t completed, failed, warned;
};
/* The peer is to send what matches to an AE title that it knows: to `radseal serve`, for one. *out is told after a failure, too.
 * errors  RS_REFUSED: also when some of it could not be sent */
enum rs_code rs_dicom_peer_move(const struct rs_dicom_peer *peer, const struct rs_dicom_query *query,
                                const char *destination, struct rs_dicom_moved *out, struct rs_error *err);

#endif
