/* Looks tags and UIDs up in the generated tables of PS3.6. */
#include <string.h>

#include "dicom/dicom_private.h"

const struct rs_dicom_entry *rs_dicom_lookup(uint32_t tag)
{
	uint32_t group = tag >> 16;
	/* Curves and overlays repeat in every even group 50xx and 60xx (PS3.5 section 7.6). */
	if ((group & 1) == 0 && ((group & 0xFF00) == 0x5000 || (group & 0xFF00) == 0x6000))
		tag &= 0xFF00FFFF;
	size_t low = 0;
	size_t high = rs_dicom_entry_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (rs_dicom_entries[middle].tag < tag)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rs_dicom_entry_count && rs_dicom_entries[low].tag == tag ? &rs_dicom_entries[low] : NULL;
}

const struct rs_dicom_entry *rs_dicom_lookup_keyword(struct rs_str keyword)
{
	for (size_t i = 0; i < rs_dicom_entry_count; i++)
		if (rs_str_equal_text(keyword, rs_dicom_entries[i].keyword))
			return &rs_dicom_entries[i];
	return NULL;
}

const char *rs_dicom_uid_name(struct rs_str uid)
{
	for (size_t i = 0; i < rs_dicom_uid_count; i++)
		if (rs_str_equal_text(uid, rs_dicom_uids[i].uid))
			return rs_dicom_uids[i].name;
	return NULL;
}
