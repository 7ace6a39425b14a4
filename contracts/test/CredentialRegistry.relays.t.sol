// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {vm} from "./Vm.sol";
import {Relay, RelayedCall, RelayedCalls} from "./support/RelayedCall.sol";
import {RelayedJson} from "./support/RelayedJson.sol";
import {RelayTest} from "./support/RelayTest.sol";

/// @title What holds for each of the five relayed calls
contract RelaysTest is RelayTest {
    using RelayedCalls for RelayedCall;
    using RelayedJson for RelayedCall;

    /* WHAT IS SIGNED */

    /// The digest is that of the JSON which a wallet shows its owner, as forge itself hashes it.
    function test_relays_digestIsThatOfEip712Json() public view {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            bytes32 digest = call.digest(block.chainid, address(registry));
            vm.assertEq(vm.eip712HashTypedData(call.toJson(block.chainid, address(registry))), digest);
        }
    }

    function test_relays_doWhatWasSigned() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            _send(call, _sign(call));
            _expectDone(call);
        }
        _audit();
    }

    /// Whoever pays is nobody to the registry: actor is the key, not he.
    function test_fuzz_relays_takeAnySender(uint8 which, address sender) public {
        vm.assume(sender != address(vm));
        RelayedCall memory call = _valid(Relay(which % RELAY_COUNT));
        bytes memory signature = _sign(call);
        bytes32 head = _expectEvent(call);
        vm.prank(sender);
        call.send(registry, signature);
        vm.assertEq(_headOf(ISSUER), head);
        _expectDone(call);
        _audit();
    }

    /// A change of any member makes the signature one over something else.
    function test_fuzz_relays_revertWithInvalidSignatureOfChangedMember(uint8 which, uint256 difference) public {
        Relay relay = Relay(which % RELAY_COUNT);
        bytes memory signature = _sign(_valid(relay));
        uint256 next = registry.nonceOf(statusKey);
        uint256 changes = 0;
        for (uint256 member = 0; member < MEMBER_COUNT; ++member) {
            _setNonce(statusKey, next);
            RelayedCall memory call = _valid(relay);
            if (!_change(call, member, difference)) continue;
            ++changes;
            // So that the nonce is right, and the signature all that is wrong.
            _setNonce(call.key, call.nonce);
            _expectInvalidSignature(call);
            call.send(registry, signature);
        }
        vm.assertEq(changes, relay == Relay.ANCHOR ? 5 : relay == Relay.REVOKE_BATCH ? 6 : 10);
        _setNonce(statusKey, next);
        RelayedCall memory signed = _valid(relay);
        _send(signed, signature);
        _expectDone(signed);
    }

    /// What was signed as one call is no other, though the members are the same.
    function test_relays_revertWithInvalidSignatureOfAnotherCall() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            for (uint256 j = 0; j < RELAY_COUNT; ++j) {
                if (i == j) continue;
                RelayedCall memory call = _valid(Relay(j));
                uint256 privateKey = _privateKeyOf(call);
                call.relay = Relay(i);
                bytes memory signature = call.sign(privateKey, block.chainid, address(registry));
                call.relay = Relay(j);
                _expectInvalidSignature(call);
                _send(call, signature);
            }
        }
    }

    /* WHO SIGNED, AND FOR WHERE */

    function test_fuzz_relays_revertWithInvalidSignatureOfAnother(uint8 which, uint256 privateKey) public {
        privateKey = 1 + privateKey % type(uint128).max;
        RelayedCall memory call = _valid(Relay(which % RELAY_COUNT));
        vm.assume(vm.addr(privateKey) != call.key);
        bytes memory signature = call.sign(privateKey, block.chainid, address(registry));
        _expectInvalidSignature(call);
        _send(call, signature);
    }

    /// The controller manages keys, and is none.
    function test_relays_revertWithInvalidSignatureOfController() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            bytes memory signature = call.sign(0xc1, block.chainid, address(registry));
            _expectInvalidSignature(call);
            _send(call, signature);
        }
    }

    function test_relays_revertWithInvalidSignatureForOtherChain() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            bytes memory signature = call.sign(_privateKeyOf(call), block.chainid + 1, address(registry));
            _expectInvalidSignature(call);
            _send(call, signature);
        }
    }

    /// After a split of the chain a signature is good on the side it was made for, and not on the other.
    function test_relays_followTheChainId() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            bytes memory before = call.sign(_privateKeyOf(call), 31_337, address(registry));
            bytes memory afterwards = call.sign(_privateKeyOf(call), 10, address(registry));
            bytes32 digest = call.digest(10, address(registry));
            vm.chainId(10);
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidSignature.selector, call.key, digest));
            _send(call, before);
            _send(call, afterwards);
            vm.chainId(31_337);
        }
    }

    function test_relays_revertWithInvalidSignatureForOtherContract() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            bytes memory signature = call.sign(_privateKeyOf(call), block.chainid, address(history));
            _expectInvalidSignature(call);
            _send(call, signature);
        }
    }

    /// A key of another issuer may sign what it likes.
    function test_relays_revertWithKeyNotOfIssuer() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            call.key = Relay(i) == Relay.ANCHOR ? otherAnchorKey : otherStatusKey;
            call.nonce = 0;
            bytes memory signature = call.sign(
                Relay(i) == Relay.ANCHOR ? OTHER_ANCHOR_PK : OTHER_STATUS_PK, block.chainid, address(registry)
            );
            vm.expectRevert(
                abi.encodeWithSelector(IRegistryErrors.KeyNotOfIssuer.selector, call.key, ISSUER, OTHER_ISSUER)
            );
            _send(call, signature);
        }
    }

    function test_relays_revertWithKeyNotOfIssuerForStranger() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            call.key = stranger;
            call.nonce = 0;
            bytes memory signature = call.sign(0xbad, block.chainid, address(registry));
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyNotOfIssuer.selector, stranger, ISSUER, 0));
            _send(call, signature);
        }
    }

    function test_relays_revertWithWrongScope() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            bool anchors = Relay(i) == Relay.ANCHOR;
            RelayedCall memory call = _valid(Relay(i));
            call.key = anchors ? statusKey : anchorKey;
            call.nonce = 0;
            bytes memory signature = call.sign(anchors ? STATUS_PK : ANCHOR_PK, block.chainid, address(registry));
            vm.expectRevert(
                abi.encodeWithSelector(IRegistryErrors.WrongScope.selector, call.key, anchors ? 2 : 1, anchors ? 1 : 2)
            );
            _send(call, signature);
        }
    }

    /// What was signed before the theft was declared is void as well: nobody knows who signed it.
    function test_relays_revertWithKeyCutOff() public {
        vm.warp(START + 9);
        _compromiseKey(controller, anchorKey, START + 9);
        _retireKey(controller, statusKey);
        vm.warp(START + 10);
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            bytes memory signature = _sign(call);
            uint40 cutOff = Relay(i) == Relay.ANCHOR ? START + 9 : START + 10;
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, call.key, cutOff));
            _send(call, signature);
        }
    }

    /* UNTIL WHEN */

    function test_relays_takeSignaturesAtTheirDeadline() public {
        for (uint256 i = 0; i < RELAY_COUNT; ++i) {
            RelayedCall memory call = _valid(Relay(i));
            bytes memory signature = _sign(call);
            vm.warp(call.deadline);
            _send(call, signature);
            _expectDone(call);
            vm.warp(START);
        }
    }

    function test_fuzz_relays_revertWithSignatureExpired(uint8 which, uint32 later) public {
        RelayedCall memory call = _valid(Relay(which % RELAY_COUNT));
        bytes memory signature = _sign(call);
        uint40 time = call.deadline + 1 + uint40(later);
        vm.warp(time);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.SignatureExpired.selector, call.deadline, time));
        _send(call, signature);
    }

    /* ANCHORBYSIG */

    function test_anchorBySig_storesBatch() public {
        RelayedCall memory call = _valid(Relay.ANCHOR);
        bytes memory signature = _sign(call);
        vm.warp(START + 5);
        _send(call, signature);
        ICredentialRegistry.Batch memory record = registry.batchOf(ISSUER, call.root);
        vm.assertEq(record.key, anchorKey);
        vm.assertEq(record.anchoredAt, START + 5);
        vm.assertEq(record.size, call.size);
        vm.assertEq(record.revokedReason, 0);
        _audit();
    }

    /// It has no nonce, for it cannot run twice: neither while its anchoring holds …
    function test_anchorBySig_revertsWithAlreadyAnchored() public {
        RelayedCall memory call = _valid(Relay.ANCHOR);
        bytes memory signature = _sign(call);
        _send(call, signature);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, ISSUER, call.root, START));
        _send(call, signature);
    }

    /// … nor when that is void.
    function test_anchorBySig_revertsWithKeyCutOffOnceItsAnchoringIsVoid() public {
        RelayedCall memory call = _valid(Relay.ANCHOR);
        bytes memory signature = _sign(call);
        _send(call, signature);
        _compromiseKey(controller, anchorKey, START);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, anchorKey, START));
        _send(call, signature);
        _audit();
    }

    function test_anchorBySig_anchorsVoidBatchAgain() public {
        RelayedCall memory call = _valid(Relay.ANCHOR);
        _send(call, _sign(call));
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        _compromiseKey(controller, anchorKey, START);
        call.key = newKey;
        call.nonce = 0;
        call.size += 1;
        _send(call, call.sign(NEW_PK, block.chainid, address(registry)));
        vm.assertEq(registry.batchOf(ISSUER, call.root).key, newKey);
        vm.assertEq(registry.batchOf(ISSUER, call.root).size, call.size);
        _audit();
    }

    function test_anchorBySig_usesNoNonce() public {
        RelayedCall memory call = _valid(Relay.ANCHOR);
        _send(call, _sign(call));
        vm.assertEq(registry.nonceOf(anchorKey), 0);
    }

    function test_anchorBySig_revertsWithZeroSize() public {
        RelayedCall memory call = _valid(Relay.ANCHOR);
        call.size = 0;
        bytes memory signature = _sign(call);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.ZeroSize.selector, ISSUER, call.root));
        _send(call, signature);
    }

    function test_anchorBySig_revertsWithZeroRoot() public {
        RelayedCall memory call = _valid(Relay.ANCHOR);
        call.root = 0;
        bytes memory signature = _sign(call);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.ZeroRoot.selector, ISSUER));
        _send(call, signature);
    }

    function test_anchorBySig_revertsWithIssuerWithdrawn() public {
        _withdraw(ISSUER, START + 1);
        RelayedCall memory call = _valid(Relay.ANCHOR);
        bytes memory signature = _sign(call);
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, START + 1));
        _send(call, signature);
    }
}
