// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the host says to a greeting. */
final class Answer {
    static final Answer GRANTED_BEFORE = new Answer(true, false, "", null);

    final boolean granted;
    /** Of a refusal: the guard is to come again. */
    final boolean retry;
    /** Of a refusal, for people. */
    final String reason;
    /** Of a grant: content by name. */
    final Map<String, byte[]> files;

    private Answer(boolean granted, boolean retry, String reason, Map<String, byte[]> files) {
        this.granted = granted;
        this.retry = retry;
        this.reason = reason;
        this.files = files;
    }

    /** Null for a message of another type. The files are read only where they are wanted. */
    static Answer of(Map<String, Object> message, boolean wanted) throws MalformedMessage {
        Object type = message.get("type");
        if ("grant".equals(type)) {
            if (!Long.valueOf(1).equals(message.get("version"))) {
                throw new MalformedMessage("a grant of version " + message.get("version"));
            }
            return new Answer(true, false, "", files(wanted ? message.get("files") : null));
        }
        if ("refuse".equals(type)) {
            Object code = message.get("code");
            Object detail = message.get("detail");
            if (!(code instanceof String) || !(message.get("retry") instanceof Boolean)) {
                throw new MalformedMessage("a refusal without \"code\" or \"retry\"");
            }
            boolean words = detail instanceof String && !((String) detail).isEmpty();
            return new Answer(false, (Boolean) message.get("retry"),
                    code + (words ? ": " + detail : ""), null);
        }
        return null;
    }

    private static Map<String, byte[]> files(Object list) throws MalformedMessage {
        Map<String, byte[]> found = new LinkedHashMap<>();
        if (list == null) {
            return found;
        }
        if (!(list instanceof List)) {
            throw new MalformedMessage("a grant whose \"files\" are no list");
        }
        for (Object one : (List<?>) list) {
            Map<?, ?> file = one instanceof Map ? (Map<?, ?>) one : new LinkedHashMap<>();
            Object name = file.get("name");
            Object content = file.get("base64");
            if (!(name instanceof String) || !(content instanceof String)) {
                throw new MalformedMessage("a file without \"name\" or \"base64\"");
            }
            if (!plain((String) name) || found.containsKey(name)) {
                throw new MalformedMessage("a file with the name " + Json.quoted((String) name));
            }
            found.put((String) name, decoded((String) content));
        }
        return found;
    }

    /** The name of a file in the folder that it is meant for, and in no other. */
    private static boolean plain(String name) {
        return !name.isEmpty() && !name.equals(".") && !name.equals("..")
                && name.indexOf('/') < 0 && name.indexOf('\0') < 0;
    }

    private static byte[] decoded(String content) throws MalformedMessage {
        try {
            return Base64.getDecoder().decode(content);
        } catch (IllegalArgumentException wrong) {
            throw new MalformedMessage("a file that is no base64");
        }
    }
}
