/* Values in memory: number, size, UTF-8, one after another; and their attributes' numbers. */
#ifndef RS_CATALOGUE_VALUES_H
#define RS_CATALOGUE_VALUES_H

#include "catalogue/catalogue.h"

#define VALUE_HEAD 3
#define VALUE_MAX ((size_t)768) /* bytes: a person's name in three scripts, of 64 characters each */
#define COMPONENTS_MAX 16

/* Numbers that code knows. */
enum {
	ATTRIBUTE_NAME = 1,
	ATTRIBUTE_PATIENT_ID = 2,
	ATTRIBUTE_BIRTHDATE = 4,
	ATTRIBUTE_STUDY = 20,
	ATTRIBUTE_STUDY_DATE = 21,
	ATTRIBUTE_ACCESSION = 23,
	ATTRIBUTE_MODALITIES = 31,
	ATTRIBUTE_CLASSES = 32,
	ATTRIBUTE_SERIES = 40,
	ATTRIBUTE_MODALITY = 41,
	ATTRIBUTE_INSTANCE = 60,
	ATTRIBUTE_CLASS = 61,
	ATTRIBUTE_SYNTAX = 62,
};

#define COUNT_PATIENT_STUDIES 0x00201200
#define COUNT_PATIENT_SERIES 0x00201202
#define COUNT_PATIENT_INSTANCES 0x00201204
#define COUNT_STUDY_SERIES 0x00201206
#define COUNT_STUDY_INSTANCES 0x00201208
#define COUNT_SERIES_INSTANCES 0x00201209

/* The next one of *rest; false at the end, or where padding begins. */
bool values_next(struct rs_bytes *rest, uint8_t *out_number, struct rs_str *out);
/* *out is empty when there is none. */
bool values_get(struct rs_bytes values, uint8_t number, struct rs_str *out);
enum rs_code values_put(struct rs_buffer *out, uint8_t number, struct rs_str value);

#endif
