#include "compat.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/snapmgr.h"

#include "release.h"
#include "report.h"
#include "root_key.h"
#include "root_key_command.h"
#include "values.h"

char *vci_root_key_file = NULL;

/* Who pastes it must not overwrite the key that opens what is there. */
#define ROOT_KEY_HINT                                                                              \
	"If there was a key before, mend that file or bring it back: no other opens what it sealed. "  \
	"The first one, as root: install -d -m 0755 /etc/openid4vci && test ! -e "                     \
	"/etc/openid4vci/root.key && openssl rand -hex 32 | install -m 0400 -o postgres /dev/stdin "   \
	"/etc/openid4vci/root.key. Another place: LOAD 'openid4vci'; ALTER SYSTEM SET "                \
	"openid4vci.root_key_file = '/path/to/file'; SELECT pg_reload_conf();"

#define ROOT_KEY_COMMAND_HINT                                                                      \
	"As the server's user, it must print a root key as 64 hexadecimal digits to its standard "     \
	"output and end; what it says to standard error stands in the server log. Another command: "   \
	"LOAD 'openid4vci'; ALTER SYSTEM SET openid4vci.root_key_command = '...'; SELECT "             \
	"pg_reload_conf(); more time: openid4vci.root_key_command_timeout."

static bool
is_inside(const char *file, const char *folder)
{
	char resolved[PATH_MAX];
	size_t len;

	if (realpath(folder, resolved) == NULL)
		return false;
	len = strlen(resolved);
	return strncmp(file, resolved, len) == 0 && (file[len] == '/' || file[len] == '\0');
}

static bool
inside_tablespace(const char *file)
{
	bool inside = false;
	DIR *folder = AllocateDir("pg_tblspc");
	struct dirent *entry;

	while (!inside && (entry = ReadDirExtended(folder, "pg_tblspc", LOG)) != NULL)
		inside =
			entry->d_name[0] != '.' && is_inside(file, psprintf("pg_tblspc/%s", entry->d_name));
	FreeDir(folder);
	return inside;
}

/*
 * A key beside the data it protects would travel with every base backup. Links are followed,
 * and must lead to the very file that was opened.
 */
static char *
place_problem(const char *path, const struct stat *opened)
{
	char file[PATH_MAX];
	struct stat found;

	if (realpath(path, file) == NULL || stat(file, &found) < 0)
		return psprintf("it can't be read: %s", strerror(errno));
	if (found.st_dev != opened->st_dev || found.st_ino != opened->st_ino)
		return "another file took its place while it was read; try again";
	if (is_inside(file, DataDir))
		return "it lies inside the data directory, where every backup would carry it along";
	if (is_inside(file, "pg_wal"))
		return "it lies inside the WAL directory, where every backup would carry it along";
	if (inside_tablespace(file))
		return "it lies inside a tablespace, where every backup would carry it along";
	return NULL;
}

static char *
file_problem(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "it is not a regular file";
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return "it must belong to the server's user or to root";
	if (st.st_mode & (st.st_uid == 0 ? S_IWGRP | S_IRWXO : S_IRWXG | S_IRWXO))
		return "group or others may read or write it; chmod 0400 makes it private";
	if (st.st_size > VCI_ROOT_KEY_TEXT_MAX)
		return "it is larger than 4 kB";
	return place_problem(path, &st);
}

/* Fills buffer; NULL when it went well, else what is wrong with the file. */
static char *
read_file(VciSensitiveBytes *buffer)
{
	char *problem;
	ssize_t got;
	int fd;

	if (vci_root_key_file == NULL || vci_root_key_file[0] != '/')
		return "the setting must be an absolute path";
	/* O_NONBLOCK: opening a pipe would wait for its writer */
	fd = OpenTransientFile(vci_root_key_file, O_RDONLY | PG_BINARY | O_NONBLOCK);
	if (fd < 0)
		return psprintf("it can't be read: %s", strerror(errno));
	problem = file_problem(fd, vci_root_key_file);
	if (problem == NULL)
	{
		buffer->data = malloc(VCI_ROOT_KEY_TEXT_MAX);
		vci_require_memory(buffer->data);
		buffer->len = VCI_ROOT_KEY_TEXT_MAX;
		got = read(fd, buffer->data, VCI_ROOT_KEY_TEXT_MAX);
		if (got < 0)
			problem = psprintf("it can't be read: %s", strerror(errno));
		else
			memset(buffer->data + got, '\n', VCI_ROOT_KEY_TEXT_MAX - got);
	}
	CloseTransientFile(fd);
	return problem;
}

static char *
keys_of_file(VciRootKeys *keys)
{
	VciSensitiveBytes *buffer = vci_own_sensitive();
	VciError error = VCI_ERROR_INIT;
	char *problem = read_file(buffer);

	if (problem != NULL)
		return problem;
	if (vci_root_keys_parse((char *) buffer->data, buffer->len, keys, &error) != VCI_OK)
		problem = pstrdup(error.text);
	vci_wipe(buffer->data, buffer->len);
	return problem;
}

static bool
by_command(void)
{
	return vci_root_key_command != NULL && vci_root_key_command[0] != '\0';
}

bool
vci_root_keys_try(VciRootKeys *keys, char **problem)
{
	memset(keys, 0, sizeof(*keys));
	*problem = by_command() ? vci_command_keys(keys) : keys_of_file(keys);
	if (*problem == NULL)
		return true;
	*problem = psprintf("openid4vci.root_key_%s: %s", by_command() ? "command" : "file", *problem);
	return false;
}

void
vci_root_keys_read(VciRootKeys *keys)
{
	char *problem;

	if (!vci_root_keys_try(keys, &problem))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("there is no usable root key"), errdetail("%s.", problem),
						errhint("%s", by_command() ? ROOT_KEY_COMMAND_HINT : ROOT_KEY_HINT)));
}

bool
vci_root_keys_usable(char **problem)
{
	VciRootKeys keys;
	bool usable = vci_root_keys_try(&keys, problem);

	vci_wipe(&keys, sizeof(keys));
	return usable;
}

void
vci_root_keys_refresh(void)
{
	vci_command_keys_forget();
}

void
vci_root_key_id(char id[VCI_ROOT_KEY_ID_SIZE])
{
	VciRootKeys keys;

	vci_root_keys_read(&keys);
	strlcpy(id, keys.keys[0].id, VCI_ROOT_KEY_ID_SIZE);
	vci_wipe(&keys, sizeof(keys));
}

/* Another session may have rotated the root key since, and the former one may be gone soon. */
void
vci_root_keys_follow(VciStore *store)
{
	char first[VCI_ROOT_KEY_ID_SIZE];
	VciRootKeyUse *uses;
	int count;

	if (!by_command())
		return;
	vci_root_key_id(first);
	PushActiveSnapshot(GetTransactionSnapshot());
	uses = vci_store_root_key_uses(store, &count);
	PopActiveSnapshot();
	for (int i = 0; i < count; i++)
		if (strcmp(uses[i].root_key_id, first) != 0)
		{
			vci_root_keys_refresh();
			return;
		}
}

/* Associated data: a sealed value opens only in the place that it was sealed for. */
static char *
associated_data(const char *what, int64 owner)
{
	return psprintf("openid4vci %s %lld", what, (long long) owner);
}

bytea *
vci_root_seal(const char *what, int64 owner, const void *plain, size_t len, char **root_key_id)
{
	VciSensitiveBytes *sealed = vci_own_sensitive();
	char *associated = associated_data(what, owner);
	VciError error = VCI_ERROR_INIT;
	VciRootKeys keys;
	VciStatus status;

	vci_root_keys_read(&keys);
	status = vci_seal(&keys.keys[0].secret, associated, strlen(associated), plain, len,
					  &sealed->data, &sealed->len, &error);
	*root_key_id = pstrdup(keys.keys[0].id);
	vci_wipe(&keys, sizeof(keys));
	vci_require(status, &error);
	return vci_bytea(sealed->data, sealed->len);
}

/* The root key of this id, wiped by the caller; false when it is not there. */
static bool
find_root_key(const char *id, VciRootKey *found)
{
	VciRootKeys keys;
	const VciRootKey *key;

	vci_root_keys_read(&keys);
	key = vci_root_keys_find(&keys, id);
	if (key == NULL && by_command() && vci_command_keys_are_stale())
	{
		vci_root_keys_read(&keys);
		key = vci_root_keys_find(&keys, id);
	}
	if (key != NULL)
		*found = *key;
	vci_wipe(&keys, sizeof(keys));
	return key != NULL;
}

static _Noreturn void
raise_missing(const char *what, const char *root_key_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the root key that sealed this %s is not there", what),
			 errdetail("It was sealed under root key %s.", root_key_id),
			 errhint("Add that key as a further line to the file that "
					 "openid4vci.root_key_file names, or to what openid4vci.root_key_command "
					 "prints; the first line seals, all lines open.")));
}

/* A wrong root key is replaced soon, and what it sealed meanwhile would be lost with it. */
void
vci_root_key_require(const char *what, const char *root_key_id)
{
	VciRootKey key;

	if (!find_root_key(root_key_id, &key))
		raise_missing(what, root_key_id);
	vci_wipe(&key, sizeof(key));
}

/* The id of a root key is made of the key, so the right one is there. */
static _Noreturn void
raise_damaged(const char *what, int64 owner, const VciError *error)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("%s", error->text),
					errdetail("It is the %s with id %lld. The root key that sealed it is there, so "
							  "it was changed.",
							  what, (long long) owner),
					errhint("Bring its row back from a backup. A signing key can also be "
							"replaced: SELECT openid4vci.vci_create_key();")));
}

void
vci_root_unseal(const char *what, int64 owner, const bytea *sealed, const char *root_key_id,
				const unsigned char **plain, size_t *len)
{
	VciSensitiveBytes *opened = vci_own_sensitive();
	char *associated = associated_data(what, owner);
	VciError error = VCI_ERROR_INIT;
	VciRootKey key;
	VciStatus status;

	if (!find_root_key(root_key_id, &key))
		raise_missing(what, root_key_id);
	status = vci_unseal(&key.secret, associated, strlen(associated),
						(const unsigned char *) VARDATA_ANY(sealed), VARSIZE_ANY_EXHDR(sealed),
						&opened->data, &opened->len, &error);
	vci_wipe(&key, sizeof(key));
	if (status == VCI_ERR_SEAL)
		raise_damaged(what, owner, &error);
	vci_require(status, &error);
	*plain = opened->data;
	*len = opened->len;
}
