/* The same object in another transfer syntax: a copy for who cannot take the stored one, which stays as it is. */
#ifndef RS_DICOM_TRANSCODE_H
#define RS_DICOM_TRANSCODE_H

#include "dicom/dicom.h"

#define RS_DICOM_SYNTAX_IMPLICIT "1.2.840.10008.1.2"
#define RS_DICOM_SYNTAX_EXPLICIT "1.2.840.10008.1.2.1"

/* Implicit and explicit little endian, and what rs_codec_encodes(): nothing is lost on the way. */
bool rs_dicom_writes(const char *transfer_syntax);
/* Whether that can be tried with files of this syntax. */
bool rs_dicom_reads(const char *transfer_syntax);
/* A Part 10 file, appended. What a codec decides anew is told in it: PhotometricInterpretation, PlanarConfiguration,
 * BitsStored. Group lengths go, sequences get lengths. implementation_uid is for the meta group, NULL to leave it out.
 * errors  RS_UNSUPPORTED: this syntax is not written, or cannot hold these pixels; those of rs_dicom_frame_read() */
enum rs_code rs_dicom_transcode(const struct rs_dicom *dicom, const char *transfer_syntax,
                                const char *implementation_uid, struct rs_buffer *out, struct rs_error *err);

#endif
