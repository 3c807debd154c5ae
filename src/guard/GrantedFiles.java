// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** The files of a grant, in a folder for nobody but the driver. */
final class GrantedFiles {
    private static final String PLACE = "{{sparkhost}}/";

    private final Map<String, byte[]> files;
    private final Path folder;

    /** Writes them below the working directory. */
    GrantedFiles(Map<String, byte[]> files, Path below) throws IOException {
        this.files = files;
        folder = files.isEmpty() ? below : make(below);
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            write(folder.resolve(file.getKey()), file.getValue());
        }
    }

    /** The argument with their paths for their names. */
    String resolved(String argument) {
        if (!argument.contains(PLACE)) {
            return argument;
        }
        String[] parts = argument.split(",", -1);
        for (int i = 0; i < parts.length; ++i) {
            if (parts[i].startsWith(PLACE) && files.containsKey(parts[i].substring(PLACE.length()))) {
                parts[i] = folder.resolve(parts[i].substring(PLACE.length())).toString();
            }
        }
        return String.join(",", parts);
    }

    private static Path make(Path below) throws IOException {
        FileAttribute<Set<PosixFilePermission>> mine = mode("rwx------");
        try {
            return Files.createDirectory(below.resolve("sparkhost"), mine);
        } catch (FileAlreadyExistsException somebodys) {
            return Files.createTempDirectory(below, "sparkhost-", mine);
        }
    }

    private static void write(Path path, byte[] content) throws IOException {
        Set<StandardOpenOption> fresh =
                EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try (OutputStream out = Channels.newOutputStream(
                Files.newByteChannel(path, fresh, mode("rw-------")))) {
            out.write(content);
        }
    }

    private static FileAttribute<Set<PosixFilePermission>> mode(String letters) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(letters));
    }
}
