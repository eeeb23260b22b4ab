/* Runs a fuzz target over the files of its corpus: what a fuzzer once found stays found, without a fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *directory, const char *name)
{
	static uint8_t data[1 << 20];
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "rb");
	if (!file)
		return 1;
	size_t size = fread(data, 1, sizeof data, file);
	fclose(file);
	return LLVMFuzzerTestOneInput(data, size);
}

int main(int count, char **arguments)
{
	struct dirent **entries;
	int number = count > 1 ? scandir(arguments[1], &entries, NULL, alphasort) : -1, failed = 0,
	    replayed = 0;
	for (int i = 0; i < number; i++) {
		if (entries[i]->d_name[0] != '.') {
			failed += replay(arguments[1], entries[i]->d_name) != 0;
			replayed++;
		}
		free(entries[i]);
	}
	if (number >= 0)
		free(entries);
	printf("%d files replayed, %d failed\n", replayed, failed);
	return number < 0 || replayed == 0 || failed > 0;
}
