/* What this side asks of DICOM peers: verification, and storage of files as they are. */
#ifndef RS_GATEWAY_CLIENT_H
#define RS_GATEWAY_CLIENT_H

#include "base/base.h"

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
enum rs_code rs_dicom_echo(const struct rs_dicom_peer *peer, struct rs_error *err);

struct rs_dicom_sent {
	const char *path;
	bool is_skipped; /* no DICOM, in a directory */
	enum rs_code code;
	uint16_t status; /* of the peer; 0 is success, Bxxx a warning with success */
	uint64_t size;   /* bytes of the data set */
	const struct rs_error *error;
};
typedef void rs_dicom_report(void *context, const struct rs_dicom_sent *sent);

/* Files, and directories with all below them, each in its own transfer syntax, which the peer has to take: nothing is converted.
 * Reads the next file while the peer works on one. The code is that of the first failure. */
enum rs_code rs_dicom_send(const struct rs_dicom_peer *peer, char *const *paths, size_t count,
                           rs_dicom_report *report, void *context, struct rs_error *err);

#endif
