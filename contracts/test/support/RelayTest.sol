// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRegistryErrors} from "../../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../../src/interfaces/IRegistryEvents.sol";
import {vm} from "../Vm.sol";
import {RegistryTest} from "./RegistryTest.sol";
import {Relay, RelayedCall, RelayedCalls} from "./RelayedCall.sol";
import {Slots} from "./Slots.sol";

/// @title A registry in which each of the five relayed calls has something to do
abstract contract RelayTest is RegistryTest {
    using RelayedCalls for RelayedCall;

    uint256 internal constant RELAY_COUNT = 5;
    uint256 internal constant MEMBER_COUNT = 12;
    uint32 internal constant LIST = 4;
    uint8 internal constant REASON = 5;
    bytes32 internal constant ANCHORED_ROOT = keccak256("anchored root");

    /// @dev Set already: bits 0 to 7 of these words, so that there is something to reinstate.
    uint16 internal constant SUSPENDED_WORD = 9;
    uint256 internal constant SUSPENDED_BITS = 0xff;

    function setUp() public virtual override {
        super.setUp();
        _anchor(anchorKey, ISSUER, ANCHORED_ROOT, 1000);
        vm.prank(statusKey);
        registry.suspend(ISSUER, LIST, _words(SUSPENDED_WORD), _masks(SUSPENDED_BITS), REASON);
    }

    /* CALLS */

    /// @dev A call that succeeds, with its key's next nonce.
    function _valid(Relay relay) internal view returns (RelayedCall memory call) {
        bool anchors = relay == Relay.ANCHOR;
        call.relay = relay;
        call.key = anchors ? anchorKey : statusKey;
        call.issuer = ISSUER;
        call.list = LIST;
        call.words = _words(SUSPENDED_WORD, SUSPENDED_WORD + 2);
        call.masks = _masks(0xf3 << (relay == Relay.REINSTATE ? 0 : 8), 1);
        if (relay == Relay.REINSTATE) (call.words, call.masks) = (_words(SUSPENDED_WORD), _masks(0xf3));
        call.root = anchors ? ROOT : ANCHORED_ROOT;
        call.size = 77;
        call.reason = REASON;
        call.nonce = registry.nonceOf(call.key);
        call.deadline = START + 600;
    }

    function _privateKeyOf(RelayedCall memory call) internal pure returns (uint256) {
        return call.relay == Relay.ANCHOR ? ANCHOR_PK : STATUS_PK;
    }

    function _sign(RelayedCall memory call) internal view returns (bytes memory) {
        return call.sign(_privateKeyOf(call), block.chainid, address(registry));
    }

    /// @dev Sent by one who is nobody to the registry.
    function _send(RelayedCall memory call, bytes memory signature) internal {
        vm.prank(stranger);
        call.send(registry, signature);
    }

    /* CHANGES */

    /// @dev Makes one member another one; false if the call does not have it.
    function _change(RelayedCall memory call, uint256 member, uint256 difference) internal pure returns (bool) {
        bool anchors = call.relay == Relay.ANCHOR;
        bool ofBatch = anchors || call.relay == Relay.REVOKE_BATCH;
        if (member == 0) call.key = address(_other160(uint160(call.key), difference));
        else if (member == 1) call.issuer = uint32(_other(call.issuer, difference, 32));
        else if (member == 2) call.list = uint32(_other(call.list, difference, 32));
        else if (member == 3) call.words[0] = uint16(_other(call.words[0], difference, 16));
        else if (member == 4) call.masks[0] = _other(call.masks[0], difference, 256);
        else if (member == 5) call.masks = _resized(call.masks);
        else if (member == 6) call.root = bytes32(_other(uint256(call.root), difference, 256));
        else if (member == 7) call.size = uint32(_other(call.size, difference, 32));
        else if (member == 8) call.reason = uint8(_other(call.reason, difference, 8));
        else if (member == 9) call.nonce = _other(call.nonce, difference, 255);
        else if (member == 10) call.deadline = _otherDeadline(call.deadline, difference);
        else call.words = call.words.length == 2 ? _words(call.words[0]) : _words(call.words[0], 511);

        if ((member >= 2 && member <= 5) || member == 11) return !ofBatch;
        if (member == 6) return ofBatch;
        if (member == 7) return anchors;
        if (member == 8 || member == 9) return !anchors;
        return true;
    }

    function _resized(uint256[] memory masks) private pure returns (uint256[] memory) {
        return masks.length == 2 ? _masks(masks[0]) : _masks(masks[0], 1);
    }

    /// @dev Not in the past.
    function _otherDeadline(uint40 deadline, uint256 difference) private pure returns (uint40 other) {
        other = uint40(_other(deadline, difference, 40)) | START;
        if (other == deadline) ++other;
    }

    function _other160(uint160 value, uint256 difference) private pure returns (uint160) {
        return uint160(_other(value, difference, 160));
    }

    /// @dev Differs from the value in at least one of its bits.
    function _other(uint256 value, uint256 difference, uint256 width) private pure returns (uint256) {
        uint256 bits = difference & (type(uint256).max >> (256 - width));
        return value ^ (bits == 0 ? 1 : bits);
    }

    function _setNonce(address key, uint256 nonce) internal {
        vm.store(address(registry), bytes32(Slots.nonce(key)), bytes32(nonce));
    }

    /* EXPECTATIONS */

    function _expectInvalidSignature(RelayedCall memory call) internal {
        bytes32 digest = call.digest(block.chainid, address(registry));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidSignature.selector, call.key, digest));
    }

    function _expectInvalidNonce(RelayedCall memory call, uint256 next) internal {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidNonce.selector, call.key, call.nonce, next));
    }

    /// @dev That the state is what the call asked for; each does what no other does.
    function _expectDone(RelayedCall memory call) internal view {
        if (call.relay == Relay.ANCHOR) {
            vm.assertEq(registry.batchOf(call.issuer, call.root).key, call.key);
            vm.assertEq(registry.batchOf(call.issuer, call.root).size, call.size);
        } else if (call.relay == Relay.REVOKE_BATCH) {
            vm.assertEq(registry.batchOf(call.issuer, call.root).revokedReason, call.reason);
        } else {
            uint256 base = call.relay == Relay.REVOKE ? Slots.REVOKED : Slots.SUSPENDED;
            uint256 slot = Slots.word(base, call.issuer, 0, call.list, call.words[0]);
            uint256 bits = Slots.read(address(registry), slot);
            vm.assertEq(bits & call.masks[0], call.relay == Relay.REINSTATE ? 0 : call.masks[0]);
        }
    }

    /// @dev Expects the call's event, with the key as its actor, and returns the head in it.
    function _expectEvent(RelayedCall memory call) internal returns (bytes32 head) {
        uint40 at = _now();
        head = _headAfter(call.issuer, keccak256(_eventOf(call, at)));
        vm.expectEmit(true, true, true, true, address(registry));
        if (call.relay == Relay.ANCHOR) {
            emit IRegistryEvents.BatchAnchored(call.issuer, call.root, call.size, call.key, at, head);
        } else if (call.relay == Relay.REVOKE_BATCH) {
            emit IRegistryEvents.BatchRevoked(call.issuer, call.root, 0, call.reason, call.key, at, head);
        } else if (call.relay == Relay.REVOKE) {
            emit IRegistryEvents.CredentialsRevoked(
                call.issuer, call.list, 0, call.words, call.masks, call.reason, call.key, at, head
            );
        } else if (call.relay == Relay.SUSPEND) {
            emit IRegistryEvents.CredentialsSuspended(
                call.issuer, call.list, 0, call.words, call.masks, call.reason, call.key, at, head
            );
        } else {
            emit IRegistryEvents.CredentialsReinstated(
                call.issuer, call.list, 0, call.words, call.masks, call.reason, call.key, at, head
            );
        }
    }

    function _eventOf(RelayedCall memory call, uint40 at) private pure returns (bytes memory) {
        if (call.relay == Relay.ANCHOR) {
            bytes32 anchored = keccak256("BatchAnchored(uint32,bytes32,uint32,address,uint40,bytes32)");
            return abi.encode(anchored, call.issuer, call.root, call.size, call.key, at);
        }
        if (call.relay == Relay.REVOKE_BATCH) {
            bytes32 revoked = keccak256("BatchRevoked(uint32,bytes32,uint16,uint8,address,uint40,bytes32)");
            return abi.encode(revoked, call.issuer, call.root, uint16(0), call.reason, call.key, at);
        }
        string memory name = call.relay == Relay.REVOKE
            ? "CredentialsRevoked"
            : call.relay == Relay.SUSPEND ? "CredentialsSuspended" : "CredentialsReinstated";
        bytes32 topic = keccak256(
            bytes(string.concat(name, "(uint32,uint32,uint16,uint16[],uint256[],uint8,address,uint40,bytes32)"))
        );
        return abi.encode(topic, call.issuer, call.list, uint16(0), call.words, call.masks, call.reason, call.key, at);
    }
}
