/*
 * Writes the corpus that a fuzz target begins with: make_corpus FOLDER SEEDS VECTORS...
 *
 * SEEDS is a text with one seed a line, in which "\n" stands for a newline and "\\" for a
 * backslash; lines that begin with "# " are comments. "# vectors: strings" asks for every string in the
 * VECTORS, JSON files, too, and "# vectors: objects" for every object and array.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jose/json.h"

#define SEED_MAX 8192

typedef struct Corpus
{
	const char *folder;
	int count;
} Corpus;

static void
give_up(const char *what, const char *name)
{
	fprintf(stderr, "make_corpus: %s: %s\n", what, name);
	exit(1);
}

static void
write_seed(Corpus *corpus, const char *text, size_t len)
{
	char path[4096];
	FILE *file;

	if (len > SEED_MAX)
		return;
	snprintf(path, sizeof(path), "%s/%05d", corpus->folder, corpus->count++);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(text, 1, len, file) != len || fclose(file) != 0)
		give_up("cannot write", path);
}

static char *
read_file(const char *path, size_t *len)
{
	size_t size = 1 << 20;
	char *text = malloc(size);
	FILE *file = fopen(path, "rb");

	if (text == NULL || file == NULL)
		give_up("cannot read", path);
	*len = fread(text, 1, size - 1, file);
	text[*len] = '\0';
	fclose(file);
	return text;
}

/* Every string, or every object and array, of a document. */
static void
write_values(Corpus *corpus, VciJson *node, bool strings)
{
	VciJsonKind kind = vci_json_kind(node);

	if (strings && kind == VCI_JSON_STRING)
		write_seed(corpus, vci_json_string(node), strlen(vci_json_string(node)));
	if (!strings && (kind == VCI_JSON_OBJECT || kind == VCI_JSON_ARRAY))
	{
		char *text = vci_json_print(node);

		if (text == NULL)
			give_up("out of memory", corpus->folder);
		write_seed(corpus, text, strlen(text));
		free(text);
	}
	for (VciJsonIter i = vci_json_iter(node); vci_json_next(&i);)
		write_values(corpus, i.value, strings);
	for (size_t i = 0; i < vci_json_array_length(node); i++)
		write_values(corpus, vci_json_array_at(node, i), strings);
}

static void
write_vectors(Corpus *corpus, char **paths, bool strings)
{
	for (; *paths != NULL; paths++)
	{
		VciError error = VCI_ERROR_INIT;
		size_t len;
		char *text = read_file(*paths, &len);
		VciJson *document;

		if (vci_json_parse(text, len, &document, &error) != VCI_OK)
			give_up(error.text, *paths);
		write_values(corpus, document, strings);
		vci_json_free(document);
		free(text);
	}
}

static size_t
unescape(char *line)
{
	char *out = line;

	for (const char *in = line; *in != '\0'; in++)
	{
		bool escaped = in[0] == '\\' && (in[1] == 'n' || in[1] == '\\');

		if (escaped)
			in++;
		*out++ = escaped && *in == 'n' ? '\n' : *in;
	}
	return (size_t) (out - line);
}

int
main(int argc, char **argv)
{
	Corpus corpus = {.folder = argc < 4 ? "" : argv[1]};
	size_t len;
	char *seeds;

	if (argc < 4)
		give_up("expected", "FOLDER SEEDS VECTORS...");
	seeds = read_file(argv[2], &len);
	for (char *line = strtok(seeds, "\n"); line != NULL; line = strtok(NULL, "\n"))
	{
		if (strcmp(line, "# vectors: strings") == 0)
			write_vectors(&corpus, argv + 3, true);
		else if (strcmp(line, "# vectors: objects") == 0)
			write_vectors(&corpus, argv + 3, false);
		else if (strncmp(line, "# ", 2) != 0)
			write_seed(&corpus, line, unescape(line));
	}
	free(seeds);
	return 0;
}
