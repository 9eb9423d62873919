#!/bin/sh
# Say what the TPM's own key is, which it makes of a seed that it alone knows: by TPM2_CreatePrimary
# (TPM 2.0 Library, Part 3, 24.1), an elliptic curve's, in the endorsement hierarchy, without a password.
exec 3<>/dev/tpm0 || exit
{
    printf '\200\002\000\000\000\103\000\000\001\061' # sessions, 67 bytes, CreatePrimary
    printf '\100\000\000\013\000\000\000\011\100\000\000\011\000\000\000\000\000'
    printf '\000\004\000\000\000\000\000\032\000\043\000\013\000\003\000\162\000\000'
    printf '\000\006\000\200\000\103\000\020\000\003\000\020\000\000\000\000'
    printf '\000\000\000\000\000\000'
} >/ask
dd if=/ask bs=4096 >&3 2>/dev/null
dd bs=4096 count=1 <&3 >/answer 2>/dev/null
# Behind header, handle and length (18 bytes): the public part, 92 bytes of which its type is 2 + 26.
echo "tpm $(wc -c </answer) bytes, key $(tail -c +19 /answer | head -c 92 | md5sum)"
