// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";

/// @title Anchoring by a transaction whose data is the bare root
contract FallbackTest is RegistryTest {
    function test_fallback_anchorsWithSizeNotStated() public {
        vm.warp(START + 3);
        _expectAnchored(anchorKey, ROOT);
        ICredentialRegistry.Batch memory record = registry.batchOf(ISSUER, ROOT);
        vm.assertEq(record.key, anchorKey);
        vm.assertEq(record.anchoredAt, START + 3);
        vm.assertEq(record.size, 0);
        vm.assertEq(record.revokedReason, 0);
        _audit();
    }

    function test_fallback_emitsBatchAnchoredWithHead() public {
        bytes32 topic = keccak256("BatchAnchored(uint32,bytes32,uint32,address,uint40,bytes32)");
        bytes32 head = _headAfter(ISSUER, keccak256(abi.encode(topic, ISSUER, ROOT, uint32(0), anchorKey, START)));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.BatchAnchored(ISSUER, ROOT, 0, anchorKey, START, head);
        _expectAnchored(anchorKey, ROOT);
        vm.assertEq(_headOf(ISSUER), head);
    }

    function test_fuzz_fallback_anchorsAnyRoot(bytes32 root) public {
        // No function's selector starts so: see test_fallback_takesRootThatIsAFunctionsForACall.
        root |= bytes32(bytes4(0xffffff00));
        _expectAnchored(anchorKey, root);
        vm.assertEq(registry.batchOf(ISSUER, root).anchoredAt, START);
        _audit();
    }

    /// The caller's issuer it is, without being asked.
    function test_fallback_anchorsForTheIssuerOfTheKey() public {
        _expectAnchored(otherAnchorKey, ROOT);
        vm.assertEq(registry.batchOf(OTHER_ISSUER, ROOT).key, otherAnchorKey);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).anchoredAt, 0);
        _expectAnchored(anchorKey, ROOT);
        _audit();
    }

    /* DATA */

    function test_fallback_revertsWithUnknownCall() public {
        uint256[7] memory lengths = [uint256(0), 1, 3, 31, 33, 64, 1000];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory data = new bytes(lengths[i]);
            for (uint256 at = 0; at < data.length; ++at) {
                data[at] = 0xff;
            }
            _expectRefused(anchorKey, data, abi.encodeWithSelector(IRegistryErrors.UnknownCall.selector, lengths[i]));
            // Whoever asks: it is the data that is no call.
            _expectRefused(stranger, data, abi.encodeWithSelector(IRegistryErrors.UnknownCall.selector, lengths[i]));
        }
    }

    function test_fuzz_fallback_revertsWithUnknownCall(bytes calldata tail) public {
        bytes memory data = bytes.concat(hex"ffffffff", tail);
        vm.assume(data.length != 32);
        _expectRefused(anchorKey, data, abi.encodeWithSelector(IRegistryErrors.UnknownCall.selector, data.length));
    }

    function test_fallback_revertsWithZeroRoot() public {
        _expectRefused(anchorKey, new bytes(32), abi.encodeWithSelector(IRegistryErrors.ZeroRoot.selector, ISSUER));
    }

    /// The client must draw new salts: no such root can be anchored by its bare bytes.
    function test_fallback_takesRootThatIsAFunctionsForACall() public {
        bytes32 head = _headOf(ISSUER);
        bytes4[3] memory views =
            [ICredentialRegistry.registryHead.selector, bytes4(keccak256("defaultAdmin()")), registry.batchOf.selector];
        for (uint256 i = 0; i < views.length; ++i) {
            bytes32 root = bytes32(bytes.concat(views[i], bytes28(uint224(uint256(ROOT)))));
            (bool ok,) = _call(anchorKey, abi.encodePacked(root));
            // A view without parameters even answers; others miss theirs.
            vm.assertEq(ok, i < 2, "taken for a call");
            vm.assertEq(registry.batchOf(ISSUER, root).anchoredAt, 0);
        }
        bytes memory cut = abi.encodePacked(registry.anchor.selector, bytes28(uint224(uint256(ROOT))));
        _expectRefused(anchorKey, cut, "");
        vm.assertEq(_headOf(ISSUER), head);
        _audit();
        // Said in full, it can.
        _anchor(anchorKey, ISSUER, bytes32(cut), 5);
        vm.assertEq(registry.batchOf(ISSUER, bytes32(cut)).size, 5);
        _audit();
    }

    /* ETHER */

    function test_fallback_refusesEther() public {
        vm.deal(anchorKey, 10);
        bytes[3] memory data = [bytes(""), abi.encodePacked(ROOT), abi.encodeCall(registry.anchor, (ISSUER, ROOT, 5))];
        for (uint256 i = 0; i < data.length; ++i) {
            vm.prank(anchorKey);
            (bool ok, bytes memory answer) = address(registry).call{value: 1}(data[i]);
            vm.assertFalse(ok);
            vm.assertEq(answer, "");
        }
        vm.assertEq(address(registry).balance, 0);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).anchoredAt, 0);
    }

    /* WHO AND WHEN */

    function test_fallback_revertsWithUnknownKey() public {
        address[4] memory others = [stranger, controller, accreditor, admin];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectRootRefused(others[i], abi.encodeWithSelector(IRegistryErrors.UnknownKey.selector, others[i]));
        }
    }

    function test_fallback_revertsWithWrongScope() public {
        _expectRootRefused(
            statusKey,
            abi.encodeWithSelector(IRegistryErrors.WrongScope.selector, statusKey, SCOPE_STATUS, SCOPE_ANCHOR)
        );
    }

    function test_fallback_revertsWithIssuerWithdrawn() public {
        _withdraw(ISSUER, START + 10);
        vm.warp(START + 9);
        _expectAnchored(anchorKey, keccak256("before"));
        vm.warp(START + 10);
        _expectRootRefused(
            anchorKey, abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, START + 10)
        );
    }

    function test_fallback_revertsWithKeyNotYetValid() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        consent.validFrom = START + 1;
        _addKey(controller, consent, NEW_PK);
        _expectRootRefused(newKey, abi.encodeWithSelector(IRegistryErrors.KeyNotYetValid.selector, newKey, START + 1));
    }

    function test_fallback_revertsWithKeyCutOff() public {
        _compromiseKey(controller, anchorKey, START);
        _expectRootRefused(anchorKey, abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, anchorKey, START));
    }

    function test_fallback_revertsWithAlreadyAnchored() public {
        _anchor(anchorKey, ISSUER, ROOT, 5);
        bytes memory error = abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, ISSUER, ROOT, START);
        _expectRootRefused(anchorKey, error);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).size, 5);
    }

    function _call(address who, bytes memory data) private returns (bool ok, bytes memory answer) {
        vm.prank(who);
        return address(registry).call(data);
    }

    function _expectAnchored(address who, bytes32 root) private {
        (bool ok, bytes memory answer) = _call(who, abi.encodePacked(root));
        vm.assertTrue(ok, "refused");
        vm.assertEq(answer, "");
    }

    function _expectRootRefused(address who, bytes memory error) private {
        _expectRefused(who, abi.encodePacked(ROOT), error);
    }

    function _expectRefused(address who, bytes memory data, bytes memory error) private {
        (bool ok, bytes memory answer) = _call(who, data);
        vm.assertFalse(ok);
        vm.assertEq(answer, error);
    }
}
