# What the cases of test/spec share. The runner sources it, then the case, in an empty folder of its own; a case
# passes if every command in it succeeds. Names of files: fwup.conf is the script, out.fw the archive made of it,
# disk.img what it is applied to.
# shellcheck shell=bash disable=SC2119,SC2120

fwup() { "$FWUP" "$@"; }

# script <<END ... END: the update script.
script() { cat >fwup.conf; }

# create [OPTION...]: makes out.fw.
create() { fwup -c -f fwup.conf -o out.fw "$@"; }

# apply TASK [OPTION...]: applies out.fw to disk.img, without progress.
apply() {
    local task=$1
    shift
    fwup -a -q -i out.fw -d disk.img -t "$task" "$@"
}

# make_and_apply [OPTION...]: the script on standard input, its task "complete".
make_and_apply() {
    script
    create
    apply complete "$@"
}

complain() {
    printf '%s\n' "$@" >&2
    return 1
}

# fails TEXT COMMAND...: the command's status is 1 and what it says has TEXT in it.
fails() {
    local text=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    ((status == 1)) || complain "status $status instead of 1: $*" "$output"
    [[ $output == *"$text"* ]] || complain "'$text' isn't in: $output"
}

# says TEXT COMMAND...: the command succeeds and prints TEXT somewhere.
says() {
    local text=$1 output
    shift
    output=$("$@") || complain "failed: $*" "$output"
    [[ $output == *"$text"* ]] || complain "'$text' isn't in: $output"
}

# lacks TEXT COMMAND...: the command succeeds and doesn't print TEXT.
lacks() {
    local text=$1 output
    shift
    output=$("$@") || complain "failed: $*" "$output"
    [[ $output != *"$text"* ]] || complain "'$text' is in: $output"
}

# equals EXPECTED COMMAND...: the command prints exactly EXPECTED (line feeds at the end aside).
equals() {
    local expected=$1 output
    shift
    output=$("$@") || complain "failed: $*" "$output"
    [[ $output == "$expected" ]] || complain "expected:" "$expected" "but got:" "$output"
}

# meta_conf: the text of meta.conf in out.fw, read by unzip.
meta_conf() { unzip -p "${1:-out.fw}" meta.conf; }

# bytes FILE OFFSET COUNT: a part of a file as hexadecimal digits.
bytes() { xxd -p -s "$2" -l "$3" "$1" | tr -d '\n'; }

# block N [COUNT]: blocks of disk.img as they are.
block() { dd if=disk.img bs=512 skip="$1" count="${2:-1}" status=none; }

# noise FILE BYTES [SEED]: content that doesn't compress, the same for the same seed.
noise() {
    head -c "$2" /dev/zero | openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "${3:-1}")" \
        -iv 00000000000000000000000000000000 >"$1"
}

# ones FILE BYTES: bytes 0xFF, as an old disk might have them.
ones() { head -c "$2" /dev/zero | tr '\0' '\377' >"$1"; }

# zeros_at BLOCK COUNT: these blocks of disk.img are all zero.
zeros_at() { block "$1" "$2" | cmp -n $(($2 * 512)) - /dev/zero; }

# On the FAT file system at block N of disk.img, by mtools:
fat_list() {
    { mdir -b -/ -a -i "disk.img@@$(($1 * 512))" ::/ 2>/dev/null || true; } | sed "s,^::/,,"
}
fat_read() { mtype -i "disk.img@@$(($1 * 512))" "::/$2"; }
# fat_check BLOCK COUNT: fsck.fat finds nothing wrong.
fat_check() {
    block "$1" "$2" >fat.img
    fsck.fat -n fat.img >fsck.txt || complain "$(cat fsck.txt)"
}

# frames: decodes framed output on standard input, one frame a line: "PR 42", "WN 0 text".
frames() {
    python3 -c '
import struct, sys
data = sys.stdin.buffer.read()
while data:
    (size,) = struct.unpack(">I", data[:4])
    frame, data = data[4 : 4 + size], data[4 + size :]
    print(frame[:2].decode(), struct.unpack(">H", frame[2:4])[0], frame[4:].decode(), sep=" ", end="\n")
' | sed 's/ $//'
}

# framed FILE SIZE: a file as framed input in pieces of SIZE bytes.
framed() {
    python3 -c '
import struct, sys
data, size = open(sys.argv[1], "rb").read(), int(sys.argv[2])
for at in range(0, len(data), size):
    piece = data[at : at + size]
    sys.stdout.buffer.write(struct.pack(">I", len(piece)) + piece)
sys.stdout.buffer.write(bytes(4))
' "$1" "$2"
}

# resource_file FILE BYTES: noise that a script can take by host-path.
resource_file() { noise "$1" "$2" 7; }
