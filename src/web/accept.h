/* What a client of DICOMweb would like to have (PS3.18 section 8.7), out of Accept or the parameter that stands for it. */
#ifndef RS_WEB_ACCEPT_H
#define RS_WEB_ACCEPT_H

#include "media.h"
#include "service.h"

/* A form of an answer, named as clients name it: "application/dicom+json", or with parts of a type. */
struct offer {
	const char *name; /* of the whole */
	const char *type; /* of its parts, when it is multipart/related; NULL: not */
};
struct accepted {
	size_t offer;
	char syntax[PARAMETER_SIZE]; /* transfer-syntax; "" when none was said, or any will do */
	bool is_any;                 /* "*" */
};
/* The offer that the client likes best, the first one of those alike. errors  RS_UNSUPPORTED, with status 406 */
enum rs_code accept_choose(struct request *request, const struct offer *offers, size_t count,
                           struct accepted *out, struct rs_error *err);

#endif
