/* What files of one slice and files of many frames have in common. */
#ifndef RS_SIMULATE_ELEMENTS_H
#define RS_SIMULATE_ELEMENTS_H

#include "dicom/dicom.h"
#include "instance.h"

#define TAG(group, element) RS_DICOM_TAG(0x##group, 0x##element)
#define EXPLICIT_LITTLE_ENDIAN "1.2.840.10008.1.2.1"
#define SYNTHETIC "SYNTHETIC: made by radseal demo cohort, of no patient"
#define AGENT_NAME "Gadobutrol (simulated)"
#define STUDY_DESCRIPTION "SYNTHETIC MRI abdomen, pancreas"

/* Who and when: of a study, a series, an instance and its images. */
struct naming {
	char study_uid[65], series_uid[65], instance_uid[65], frame_uid[65];
	char date[9], time[16], study_time[16];
};
/* instance: what it is within its series. Enhanced files are other instances, of other series and studies. */
void naming_init(struct naming *naming, const struct instance_writer *writer, const struct image *image,
                 const char *instance);
const char *maker_name(const struct scanner *scanner);
/* Up to six numbers; one; one of eight bytes. */
void element_numbers(struct rs_dicom_builder *b, uint32_t tag, const char *vr, const double *values,
                     size_t count);
void element_number(struct rs_dicom_builder *b, uint32_t tag, const char *vr, double value);
void element_double(struct rs_dicom_builder *b, uint32_t tag, double value);
/* Group 0010. */
void element_patient(struct rs_dicom_builder *b, const struct patient *patient);
/* The file whole, written. maximum: of bytes */
enum rs_code element_file(const struct instance_writer *writer, struct rs_dicom_builder *b, const char *path,
                          const char *sop_class, const char *instance_uid, size_t maximum,
                          struct rs_error *err);

#endif
