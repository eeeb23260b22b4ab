/* UIDs of our own: 2.25 and a number of 128 bits (PS3.5 section B.2). */
#include <stdio.h>
#include <string.h>

#include "dicom/dicom.h"

void rs_dicom_uid_of(const uint8_t bytes[static 16], char out[static 65])
{
	uint8_t number[16];
	char digits[40];
	size_t count = 0;
	bool left = true;
	memcpy(number, bytes, sizeof number);
	while (left) { /* divides by ten, digit after digit from the lowest */
		unsigned rest = 0;
		left = false;
		for (size_t i = 0; i < sizeof number; i++) {
			const unsigned value = rest << 8 | number[i];
			number[i] = (uint8_t)(value / 10);
			rest = value % 10;
			left |= number[i] != 0;
		}
		digits[count++] = (char)('0' + rest);
	}
	memcpy(out, "2.25.", 5);
	for (size_t i = 0; i < count; i++)
		out[5 + i] = digits[count - 1 - i];
	out[5 + count] = '\0';
}

enum rs_code rs_dicom_uid_random(const struct rs_world *world, char out[static 65], struct rs_error *err)
{
	uint8_t bytes[16];
	RS_TRY(rs_world_random(world, bytes, sizeof bytes, err));
	rs_dicom_uid_of(bytes, out);
	return RS_OK;
}
