// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry, SCOPE_ANCHOR, SCOPE_STATUS} from "../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../src/interfaces/IRegistryErrors.sol";
import {IRegistryEvents} from "../src/interfaces/IRegistryEvents.sol";
import {vm} from "./Vm.sol";
import {Consent} from "./support/Consent.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Slots} from "./support/Slots.sol";
import {Wallet} from "./support/Wallet.sol";

contract AnchorTest is RegistryTest {
    function test_anchor_storesBatch() public {
        vm.warp(START + 3);
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        ICredentialRegistry.Batch memory record = registry.batchOf(ISSUER, ROOT);
        vm.assertEq(record.key, anchorKey);
        vm.assertEq(record.anchoredAt, START + 3);
        vm.assertEq(record.size, 1000);
        vm.assertEq(record.revokedReason, 0);
        vm.assertEq(record.revokedEpoch, 0);
        _audit();
    }

    function test_anchor_emitsBatchAnchoredWithHead() public {
        bytes32 eventHash = keccak256(
            abi.encode(
                keccak256("BatchAnchored(uint32,bytes32,uint32,address,uint40,bytes32)"),
                ISSUER,
                ROOT,
                uint32(1000),
                anchorKey,
                START
            )
        );
        bytes32 head = keccak256(abi.encode(_headOf(ISSUER), eventHash));
        vm.expectEmit(true, true, true, true, address(registry));
        emit IRegistryEvents.BatchAnchored(ISSUER, ROOT, 1000, anchorKey, START, head);
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        vm.assertEq(_headOf(ISSUER), head);
    }

    function test_fuzz_anchor_storesWhatWasGiven(bytes32 root, uint32 size, uint32 later) public {
        vm.assume(root != 0 && size != 0);
        vm.warp(uint256(START) + later);
        _anchor(anchorKey, ISSUER, root, size);
        ICredentialRegistry.Batch memory record = registry.batchOf(ISSUER, root);
        vm.assertEq(record.size, size);
        vm.assertEq(record.anchoredAt, uint256(START) + later);
        _audit();
    }

    /// Nobody takes another's root by anchoring it first.
    function test_anchor_sameRootOfAnotherIssuer() public {
        _anchor(otherAnchorKey, OTHER_ISSUER, ROOT, 5);
        _anchor(anchorKey, ISSUER, ROOT, 7);
        vm.assertEq(registry.batchOf(OTHER_ISSUER, ROOT).size, 5);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).size, 7);
        _audit();
    }

    function test_anchor_revertsWithZeroRoot() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.ZeroRoot.selector, ISSUER));
        _anchor(anchorKey, ISSUER, 0, 1000);
    }

    function test_anchor_revertsWithZeroSize() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.ZeroSize.selector, ISSUER, ROOT));
        _anchor(anchorKey, ISSUER, ROOT, 0);
    }

    function test_anchor_revertsWithAlreadyAnchored() public {
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        vm.warp(START + 1);
        address[2] memory keys = [anchorKey, newKey];
        for (uint256 i = 0; i < keys.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.AlreadyAnchored.selector, ISSUER, ROOT, START));
            _anchor(keys[i], ISSUER, ROOT, 999);
        }
        vm.assertEq(registry.batchOf(ISSUER, ROOT).size, 1000);
    }

    function test_anchor_revertsWithKeyNotOfIssuer() public {
        _expectNotOfIssuer(stranger, ISSUER, 0);
        _expectNotOfIssuer(controller, ISSUER, 0);
        _expectNotOfIssuer(otherAnchorKey, ISSUER, OTHER_ISSUER);
        _expectNotOfIssuer(anchorKey, 3, ISSUER);
        _expectNotOfIssuer(anchorKey, 0, ISSUER);
        _expectNotOfIssuer(stranger, 0, 0);
    }

    function test_anchor_revertsWithWrongScope() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRegistryErrors.WrongScope.selector, statusKey, SCOPE_STATUS, SCOPE_ANCHOR)
        );
        _anchor(statusKey, ISSUER, ROOT, 1000);
    }

    function test_anchor_revertsWithKeyNotYetValid() public {
        Consent memory consent = _consent(ISSUER, newKey, SCOPE_ANCHOR, 0);
        consent.validFrom = START + 100;
        _addKey(controller, consent, NEW_PK);
        vm.warp(START + 99);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyNotYetValid.selector, newKey, START + 100));
        _anchor(newKey, ISSUER, ROOT, 1000);
        vm.warp(START + 100);
        _anchor(newKey, ISSUER, ROOT, 1000);
        _audit();
    }

    function test_anchor_revertsWithKeyCutOffAtEnd() public {
        vm.warp(START + 99);
        _retireKey(controller, anchorKey);
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        vm.warp(START + 100);
        _expectCutOff(START + 100);
        _audit();
    }

    function test_anchor_revertsWithKeyCutOffSinceCompromise() public {
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        vm.warp(START + 100);
        _compromiseKey(controller, anchorKey, START + 100);
        _expectCutOff(START + 100);
        vm.warp(START + 99);
        _anchor(anchorKey, ISSUER, keccak256("one second before"), 1000);
    }

    function test_anchor_revertsWithKeyCutOffAtTheEarlier() public {
        _retireKey(controller, anchorKey);
        vm.warp(START + 200);
        _expectCutOff(START + 1);
        _compromiseKey(controller, anchorKey, START);
        _expectCutOff(START);
        _audit();
    }

    /// Its key may be retired later than it was compromised; the contract does not allow it, the record does.
    function test_fuzz_anchor_revertsWithKeyCutOffAtTheEarlier(uint8 validUntil, uint8 compromisedAt, uint8 time)
        public
    {
        Slots.setValidUntil(address(registry), anchorKey, validUntil == 0 ? 0 : START + validUntil);
        Slots.setCompromisedAt(address(registry), anchorKey, compromisedAt == 0 ? 0 : START + compromisedAt);
        uint8 cutOff =
            compromisedAt == 0 || (validUntil != 0 && validUntil < compromisedAt) ? validUntil : compromisedAt;
        vm.warp(START + time);
        if (cutOff != 0 && cutOff <= time) _expectCutOff(START + cutOff);
        else _anchor(anchorKey, ISSUER, ROOT, 1000);
    }

    function test_anchor_revertsWithIssuerWithdrawn() public {
        _withdraw(ISSUER, START + 10);
        vm.warp(START + 9);
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, START + 10));
        _anchor(anchorKey, ISSUER, keccak256("other"), 1000);
        _anchor(otherAnchorKey, OTHER_ISSUER, keccak256("other"), 1000);
        _audit();
    }

    /// Neither the registry-wide head nor another issuer's, nor any nonce.
    function test_anchor_movesItsIssuersHeadAlone() public {
        (bytes32 registryHead, bytes32 otherHead) = (registry.registryHead(), _headOf(OTHER_ISSUER));
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        vm.assertEq(registry.registryHead(), registryHead);
        vm.assertEq(_headOf(OTHER_ISSUER), otherHead);
        vm.assertEq(registry.nonceOf(anchorKey), 0);
    }

    function test_anchor_byWallet() public {
        Wallet wallet = new Wallet(newKey);
        _addKey(controller, _consent(ISSUER, address(wallet), SCOPE_ANCHOR, 0), NEW_PK);
        wallet.anchor(registry, ISSUER, ROOT, 1000);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).key, address(wallet));
        // The wallet is the key, not its owner.
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyNotOfIssuer.selector, newKey, ISSUER, 0));
        _anchor(newKey, ISSUER, keccak256("other"), 1000);
        _audit();
    }

    /// Two ANCHOR keys of an issuer, at work at the same time.
    function test_anchor_byEitherKey() public {
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        bytes32 other = keccak256("other");
        _anchor(anchorKey, ISSUER, ROOT, 1000);
        _anchor(newKey, ISSUER, other, 1);
        vm.assertEq(registry.batchOf(ISSUER, ROOT).key, anchorKey);
        vm.assertEq(registry.batchOf(ISSUER, other).key, newKey);
        _audit();
    }

    function test_batchOf_isZeroForNone() public {
        _anchor(otherAnchorKey, OTHER_ISSUER, ROOT, 5);
        ICredentialRegistry.Batch memory none;
        vm.assertEq(keccak256(abi.encode(registry.batchOf(ISSUER, ROOT))), keccak256(abi.encode(none)));
    }

    function _expectNotOfIssuer(address who, uint32 issuer, uint32 boundTo) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyNotOfIssuer.selector, who, issuer, boundTo));
        _anchor(who, issuer, ROOT, 1000);
    }

    function _expectCutOff(uint40 cutOff) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, anchorKey, cutOff));
        _anchor(anchorKey, ISSUER, keccak256("other"), 1000);
    }
}
