// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.io.IOException;

/** The host has said what is no message: its connection is as good as broken. */
final class MalformedMessage extends IOException {
    private static final long serialVersionUID = 1;

    MalformedMessage(String what) {
        super("the host's answer is " + what);
    }
}
